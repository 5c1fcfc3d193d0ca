"""Keys that some clients send in a modified form."""

ODD = [
    "plain", "with space", "two  spaces", " leading", "trailing ", "plus+plus", "percent%20", "percent%", "a%2Fb", "a%252Fb",
    "question?mark", "hash#mark", "and&and", "equal=equal", "semi;colon", "comma,comma", "colon:colon", "at@at", "dollar$",
    "quote'quote", 'double"quote', "less<greater>", "back\\slash", "pipe|pipe", "star*star", "tilde~", "caret^", "brace{}",
    "bracket[]", "(paren)", "!bang", "ü/漢字/🎉", "dir/", "a//b", "x" * 1024, "emoji-👩‍🚀",
]
assert len(ODD) == len(set(ODD)) == 36
