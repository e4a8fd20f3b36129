# plugins/prior/table
