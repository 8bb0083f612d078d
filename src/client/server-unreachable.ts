/** The server cannot be reached, or the connection to it broke; nobody answered, so nothing is known. */
export class ServerUnreachableError extends Error {
	override readonly name = 'ServerUnreachableError';
	/** Host and port. */
	readonly server: string;
	/** Nothing listens there: most likely the server is not running. */
	readonly refused: boolean;

	constructor(server: string, cause: unknown) {
		const refused = hasCode(cause, 'ECONNREFUSED');
		const text = cause instanceof Error ? cause.message : String(cause);
		super(
			refused
				? `The connection to the server ${server} was refused - did you specify the right host or port?`
				: `Unable to connect to the server: ${text}`,
			{ cause },
		);
		this.server = server;
		this.refused = refused;
	}
}

/** Whether a system error has this code; several addresses tried make one error of several. */
function hasCode(error: unknown, code: string): boolean {
	if (error instanceof AggregateError) return error.errors.some((each) => hasCode(each, code));
	return error instanceof Error && 'code' in error && error.code === code;
}
