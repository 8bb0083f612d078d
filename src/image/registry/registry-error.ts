/**
 * What a failed request to a registry means to the caller:
 *
 * - `not-found`: the registry has no such content. A retry is useless.
 * - `denied`: the credentials, or their absence, do not permit it.
 * - `rate-limited`: the registry refuses for a while; see `retryAfterMs`.
 * - `unreachable`: no answer came: no such host, connection refused, no trusted certificate.
 * - `timed-out`: connected, but without progress for too long.
 * - `unavailable`: the registry answered with an error of its own.
 * - `corrupt`: content has another digest or size than promised.
 * - `refused`: this program does not send the request, because it would be unsafe.
 * - `invalid`: the answer, or the configuration, makes no sense.
 */
export type RegistryErrorKind =
	| 'not-found'
	| 'denied'
	| 'rate-limited'
	| 'unreachable'
	| 'timed-out'
	| 'unavailable'
	| 'corrupt'
	| 'refused'
	| 'invalid';

/** The details of a {@link RegistryError}. */
export interface RegistryFailure {
	readonly kind: RegistryErrorKind;
	/** What the user can do: a whole sentence, of ours. */
	readonly hint?: string;
	/** The HTTP status of the registry's answer. */
	readonly status?: number;
	/** After how long the registry wants the next request. */
	readonly retryAfterMs?: number;
}

/**
 * A request to a registry failed. The message is containerd's, so that it reads in events as on any cluster. It never
 * contains a password, a token, or a query of a URL that may have one.
 */
export class RegistryError extends Error {
	override readonly name = 'RegistryError';
	readonly failure: RegistryFailure;

	constructor(message: string, failure: RegistryFailure) {
		super(message);
		this.failure = failure;
	}

	get kind(): RegistryErrorKind {
		return this.failure.kind;
	}

	/** What the user can do, if it is known. */
	get hint(): string | undefined {
		return this.failure.hint;
	}

	/** The same failure, with `prefix` and a colon before the message. */
	prefixed(prefix: string): RegistryError {
		return new RegistryError(`${prefix}: ${this.message}`, this.failure);
	}

	/** The same failure with a hint, unless it has one. */
	hinted(hint: string | undefined): RegistryError {
		if (hint === undefined || this.hint !== undefined) return this;
		return new RegistryError(this.message, { ...this.failure, hint });
	}
}

/** The query parameters of registries that are no secrets; all others may be signatures. */
const PUBLIC_PARAMETERS: ReadonlySet<string> = new Set([
	'ns',
	'scope',
	'service',
	'digest',
	'mount',
	'from',
	'n',
	'last',
]);

/** A URL as messages may show it: without user and password, and with other parameters than those above redacted. */
export function shownUrl(url: URL): string {
	const shown = new URL(url);
	shown.username = '';
	shown.password = '';
	shown.hash = '';
	for (const name of new Set(shown.searchParams.keys()))
		if (!PUBLIC_PARAMETERS.has(name)) shown.searchParams.set(name, 'REDACTED');
	return shown.href;
}
