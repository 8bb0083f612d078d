import type { Clock } from '../../base/clock.ts';
import { joinHostPort } from '../../plan/pod/probes/action-target.ts';
import type { PodSockets } from '../../runtime/pod-sockets.ts';
import { dialErrorText } from './network-error.ts';

/** How a connection is made, and how long that may take. */
export interface TcpConnectTools {
	readonly clock: Clock;
	readonly timeoutMs: number;
	readonly sockets: Pick<PodSockets, 'connect'>;
}

/** Opens a TCP connection and closes it. Resolves to the message of the failure, or to undefined if it succeeded. */
export async function tcpConnect(
	{ host, port }: { readonly host: string; readonly port: number },
	{ clock, timeoutMs, sockets }: TcpConnectTools,
): Promise<string | undefined> {
	const address = joinHostPort(host, port);
	const ended = new AbortController();
	const timer = clock.setTimer(timeoutMs, () => ended.abort());
	try {
		const socket = await sockets.connect({ host, port }, ended.signal);
		socket.destroy();
		return undefined;
	} catch (error) {
		return ended.signal.aborted ? `dial tcp ${address}: i/o timeout` : dialErrorText(error, address);
	} finally {
		timer.cancel();
	}
}
