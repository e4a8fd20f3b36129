# core/train: from prior to model. One module a line.
libanpe_la_SOURCES += core/train/dataset.c core/train/dataset.h
libanpe_la_SOURCES += core/train/follow.c core/train/follow.h
libanpe_la_SOURCES += core/train/groups.c core/train/groups.h
libanpe_la_SOURCES += core/train/inputs.c core/train/inputs.h
libanpe_la_SOURCES += core/train/kept.c core/train/kept.h
libanpe_la_SOURCES += core/train/optimiser.c core/train/optimiser.h
libanpe_la_SOURCES += core/train/pass.c core/train/pass.h
libanpe_la_SOURCES += core/train/proposal.c core/train/proposal.h
libanpe_la_SOURCES += core/train/rounds.c core/train/rounds.h
libanpe_la_SOURCES += core/train/train.c core/train/train.h
