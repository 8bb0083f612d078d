let program = (): string => 'stint';

/**
 * Sets the name by which the user called stint (`stint`, `./stint`). main/stint.ts calls it before a command
 * runs.
 */
export function setProgramName(name: () => string): void {
	program = name;
}

/**
 * A command of stint as the user can type it: `calledAs('server')` is `./stint server` after a call of
 * `./stint`.
 */
export function calledAs(words = ''): string {
	return `${program()} ${words}`.trimEnd();
}
