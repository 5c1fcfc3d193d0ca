package regular

// NonBlock is 0 on Windows: named pipes have a separate namespace, so no path of a file refers to a pipe.
const NonBlock = 0
