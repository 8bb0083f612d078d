/**
 * Resolves in the next turn of the event loop. What takes long awaits it between its steps, so that no
 * other request, timer or connection waits for the whole of it.
 */
export function nextTurn(): Promise<void> {
	return new Promise((resolve) => void setImmediate(resolve));
}
