/**
 * The protocol of sessions between the server and the launcher: a connection to a Unix socket per session. The client's
 * first message is a {@link SessionRequest} as JSON, the launcher's first one a {@link SessionAnswer}. Then both are ends
 * of a duplex, in version 5 of the channel protocol. When a command has ended, the launcher sends {@link CommandEnd} on
 * the channel `error` and closes the session.
 */
import type { AttachConfig, ExecConfig, ExecError } from '../../contract.ts';

/** What a client wants. */
export type SessionRequest =
	| { readonly kind: 'exec'; readonly containerId: string; readonly config: ExecConfig }
	| { readonly kind: 'attach'; readonly containerId: string; readonly config: AttachConfig };

/** Whether the session has begun; otherwise the fields of the error. */
export type SessionAnswer =
	| { readonly ok: true }
	| { readonly ok: false; readonly reason?: ExecError['reason']; readonly message: string };

/** The end of a command. */
export interface CommandEnd {
	readonly exitCode: number;
}
