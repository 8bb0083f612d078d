/** The message of any thrown value, for Events and logs. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
