/**
 * The protocol of sessions between the server and the launcher: a connection to a Unix socket per session. The client's
 * first message is a {@link SessionRequest} as JSON, the launcher's first one a {@link SessionAnswer}. Then both are ends
 * of a duplex, in version 5 of the channel protocol. When a command has ended, the launcher sends {@link ExecEnd} on
 * the channel `error` and closes the session.
 */
import type { AttachConfig, ExecConfig, ExecError } from '../../contract.ts';

/** What a client wants. */
export type SessionRequest =
	| { readonly kind: 'exec'; readonly containerId: string; readonly config: ExecConfig }
	| { readonly kind: 'attach'; readonly containerId: string; readonly config: AttachConfig }
	/** A connection to a port of the loopback address of a sandbox with a network of its own. */
	| { readonly kind: 'dial'; readonly sandboxId: string; readonly port: number };

/** A request about a container. */
export type ContainerSessionRequest = Exclude<SessionRequest, { readonly kind: 'dial' }>;

/** Whether the session has begun; otherwise the fields of the error. */
export type SessionAnswer =
	| { readonly ok: true }
	| { readonly ok: false; readonly reason?: ExecError['reason']; readonly message: string };

/** The end of a command. */
export interface ExecEnd {
	readonly exitCode: number;
}

/** Decodes the first message of a client. Both ends are the same version of stint: see Hello in protocol.ts. */
export function decodeSessionRequest(bytes: Uint8Array): SessionRequest {
	return JSON.parse(Buffer.from(bytes).toString()) as SessionRequest;
}

/** Decodes the launcher's answer. */
export function decodeSessionAnswer(bytes: Uint8Array): SessionAnswer {
	return JSON.parse(Buffer.from(bytes).toString()) as SessionAnswer;
}

/** Decodes the end of a command. */
export function decodeExecEnd(bytes: Uint8Array): ExecEnd {
	return JSON.parse(Buffer.from(bytes).toString()) as ExecEnd;
}
