/** What `act` returns, or undefined where it throws: for calls whose failure changes nothing for the caller. */
export function attempt<T>(act: () => T): T | undefined {
	try {
		return act();
	} catch {
		return undefined;
	}
}
