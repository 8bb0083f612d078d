let program = (): string => 'stint';

/** Sets how the user called stint (`stint`, `./stint`); the entry of the program does so before a command runs. */
export function setProgramName(name: () => string): void {
	program = name;
}

/** A command of stint as the user can type it: `calledAs('server')` is `./stint server` after a call of `./stint`. */
export function calledAs(words = ''): string {
	return `${program()} ${words}`.trimEnd();
}
