/** Why a request to stint's registry is refused, in the form of the OCI distribution specification ("Error Codes"). */

/** The codes, each with the status of the answer unless another one is given. */
const STATUSES = {
	BLOB_UNKNOWN: 404,
	BLOB_UPLOAD_INVALID: 400,
	BLOB_UPLOAD_UNKNOWN: 404,
	DENIED: 403,
	DIGEST_INVALID: 400,
	MANIFEST_BLOB_UNKNOWN: 400,
	MANIFEST_INVALID: 400,
	MANIFEST_UNKNOWN: 404,
	NAME_INVALID: 400,
	NAME_UNKNOWN: 404,
	PAGINATION_NUMBER_INVALID: 400,
	RANGE_INVALID: 416,
	SIZE_INVALID: 413,
	TAG_INVALID: 400,
	TOOMANYREQUESTS: 429,
	UNKNOWN: 500,
	UNSUPPORTED: 405,
} as const;

/** A code of the specification, or one that Docker's registry has besides. */
export type ProblemCode = keyof typeof STATUSES;

/** What an answer says besides code and message. */
export interface ProblemOptions {
	readonly status?: number;
	readonly detail?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
}

/** A request is refused. The message is for the user of the client, and contains no secret. */
export class RegistryProblem extends Error {
	override readonly name = 'RegistryProblem';
	readonly code: ProblemCode;
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly #detail: unknown;

	constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
		super(message);
		this.code = code;
		this.status = options.status ?? STATUSES[code];
		this.headers = options.headers ?? {};
		this.#detail = options.detail ?? null;
	}

	/** The body of the answer. */
	body(): string {
		const { code, message } = this;
		return JSON.stringify({ errors: [{ code, message, detail: this.#detail }] });
	}
}
