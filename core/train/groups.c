/* All option tables of the core in one list. */
#include "train/groups.h"
#include "model/net.h"
#include "task/task.h"
#include "train/train.h"

static const anpe_group groups[] = {
    {"labels", "which labels are inferred, and how the flow sees them", anpe_label_table},
    {"observe", "what a simulated and a real spectrum go through before the network sees them",
     anpe_observe_table},
    {"network", "what joins featurizer and flow", anpe_network_table},
    {"compute", "how the network is run", anpe_compute_table},
    {"train", "the optimisation", anpe_train_table},
};

const anpe_group *anpe_group_at(int i)
{
    return i >= 0 && i < (int)(sizeof groups / sizeof groups[0]) ? &groups[i] : NULL;
}
