import { CHANNELS, type Duplex, type DuplexClose, type DuplexMessage } from '../../api/contract/duplex.ts';
import { badRequest, type Status, serviceUnavailable } from '../../api/errors/api-error.ts';
import { ExecError, PortForwardError, RuntimeUnavailable } from '../../runtime/contract.ts';

/**
 * What a call of the runtime that opens a session resolves to. Rejects with BadRequest if the session cannot be opened,
 * or with ServiceUnavailable if the runtime cannot be reached.
 */
export async function startedSession<T>(call: Promise<T>): Promise<T> {
	try {
		return await call;
	} catch (error) {
		if (error instanceof ExecError || error instanceof PortForwardError) throw badRequest(error.message);
		if (error instanceof RuntimeUnavailable) throw serviceUnavailable(error.message);
		throw error;
	}
}

/** The session without the input that the client has not asked for, which is dropped as upstream. */
export function onlyAskedFor(
	streams: Duplex,
	{ stdin, tty }: { readonly stdin: boolean; readonly tty: boolean },
): Duplex {
	return {
		receive: () => streams.receive(),
		send: async (message) => {
			const { channel } = message;
			const isWanted = (channel === CHANNELS.stdin && stdin) || (channel === CHANNELS.resize && tty);
			return isWanted ? streams.send(message) : true;
		},
		close: (reason) => streams.close(reason),
		closed: streams.closed,
	};
}

/** The session followed by its Status, unless the client closes it before. */
export function endedByStatus(streams: Duplex, statusOf: (close: DuplexClose) => Promise<Status>): Duplex {
	let isOver = false;
	return {
		receive: async (): Promise<DuplexMessage | undefined> => {
			const message = await streams.receive();
			if (message || isOver) return message;
			isOver = true;
			const status = await statusOf(await streams.closed);
			const bytes = new TextEncoder().encode(JSON.stringify(status));
			return { type: 'data', channel: CHANNELS.error, bytes };
		},
		send: (message) => streams.send(message),
		close: (reason) => {
			isOver = true;
			streams.close(reason);
		},
		closed: streams.closed,
	};
}
