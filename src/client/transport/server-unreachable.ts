import { codeOf } from '../../base/files/system-error.ts';
import { messageOf } from '../../base/message-of.ts';

/**
 * The client cannot connect to the server, or the connection broke before a response. For a write, the caller
 * does not know whether the server has performed it. The messages are kubectl's.
 */
export class ServerUnreachableError extends Error {
	override readonly name = 'ServerUnreachableError';
	/** The host and port of the server. */
	readonly server: string;
	/** Whether nothing listens at the address, which most likely means that the server is not running. */
	readonly refused: boolean;
	/** The cause, without the address: `connection refused`, `unexpected EOF`. */
	readonly why: string;

	constructor(server: string, cause: unknown) {
		const refused = hasCode(cause, 'ECONNREFUSED');
		const text = certificateFault(cause) ?? connectionFault(messageOf(cause));
		super(
			refused
				? `The connection to the server ${server} was refused - did you specify the right host or port?`
				: `Unable to connect to the server: ${text}`,
			{ cause },
		);
		this.server = server;
		this.refused = refused;
		this.why = refused ? 'connection refused' : text;
	}
}

/** Go's text for a connection that was closed, as kubectl prints it; other texts as they are. */
function connectionFault(text: string): string {
	if (text === 'aborted') return 'unexpected EOF';
	return text === 'socket hang up' ? 'EOF' : text;
}

/** The message of Go's crypto/x509 if the error is about the server's certificate; undefined otherwise. */
function certificateFault(error: unknown): string | undefined {
	const fault = Object.entries(CERTIFICATE_FAULTS).find(([code]) => hasCode(error, code));
	return fault && `tls: failed to verify certificate: x509: ${fault[1]}`;
}

const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
	SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
	CERT_SIGNATURE_FAILURE: 'certificate signed by unknown authority',
	CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
	CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
	ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is valid for other names than that of the server',
};

/** Whether a system error has this code. Node throws an AggregateError if it has tried several addresses. */
function hasCode(error: unknown, code: string): boolean {
	if (error instanceof AggregateError) return error.errors.some((each) => hasCode(each, code));
	return codeOf(error) === code;
}
