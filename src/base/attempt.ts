/** The result of `act`, or undefined if it throws: for calls whose failure makes no difference to the caller. */
export function attempt<T>(act: () => T): T | undefined {
	try {
		return act();
	} catch {
		return undefined;
	}
}
