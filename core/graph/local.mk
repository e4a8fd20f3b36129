# core/graph
anpeinclude_HEADERS += include/anpe/vecmath.h include/anpe/bfloat16.h
libanpe_la_SOURCES += core/graph/build_layers.c
libanpe_la_SOURCES += core/graph/builder.c
libanpe_la_SOURCES += core/graph/executor.c
libanpe_la_SOURCES += core/graph/graph.h
libanpe_la_SOURCES += core/graph/network.h
libanpe_la_SOURCES += core/graph/offload.c core/graph/offload.h
libanpe_la_SOURCES += core/graph/operations.c core/graph/operations.h
libanpe_la_SOURCES += core/graph/parameters.c
libanpe_la_SOURCES += core/graph/plan.c core/graph/plan.h
