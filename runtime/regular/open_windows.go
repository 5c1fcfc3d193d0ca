package regular

// NonBlock is nothing here: pipes have a place of their own, in which no file is looked for.
const NonBlock = 0
