# core/cmd
