// Builds the program of a pod's sandbox (script/tools): standard library only.
module scorekit/pause

go 1.22
