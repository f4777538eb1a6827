#pragma once

// Swift has no code that runs before the libraries' own. Importing this links early.c in, and that is all there is to do.
