import { CHANNELS, type Duplex, type DuplexMessage } from '../../../api/contract/duplex.ts';
import { ExecError, PortForwardError } from '../../contract.ts';
import { openSession } from './session-client.ts';

/**
 * Connects to a port in a sandbox with a network of its own, by the launcher of `folder`. Both directions are the channel 0
 * of the result. Rejects with {@link PortForwardError}, and as openSession does.
 */
export async function dialSandbox(
	folder: string,
	target: { sandboxId: string; port: number },
): Promise<Duplex> {
	try {
		return onOneChannel(await openSession(folder, { kind: 'dial', ...target }));
	} catch (error) {
		throw error instanceof ExecError ? new PortForwardError(error.message) : error;
	}
}

/** The session of a connection has the channels of a command's standard streams. */
function onOneChannel(session: Duplex): Duplex {
	return {
		receive: async () => {
			const message = await session.receive();
			return message && { ...message, channel: 0 };
		},
		send: (message: DuplexMessage) =>
			message.channel === 0 ? session.send({ ...message, channel: CHANNELS.stdin }) : Promise.resolve(true),
		close: (reason) => session.close(reason),
		closed: session.closed,
	};
}
