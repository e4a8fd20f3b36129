# core/graph
