# tests/cli: shell scripts that run the command as a user does
EXTRA_DIST += tests/cli/common.sh
dist_check_SCRIPTS += tests/cli/test_count.sh tests/cli/test_format.sh tests/cli/test_layers.sh tests/cli/test_licences.sh \
	tests/cli/test_man.sh tests/cli/test_template.sh tests/cli/test_train.sh tests/cli/test_usage.sh
dist_check_SCRIPTS += tests/cli/test_plugins.sh
dist_check_SCRIPTS += tests/cli/test_import.sh
dist_check_SCRIPTS += tests/cli/test_noise.sh
