import type { Clock } from '../../base/clock.ts';
import { joinHostPort } from '../../plan/pod/probes/action-target.ts';
import { dialErrorText } from './network-error.ts';

/** Opens a TCP connection and closes it. Resolves to the message of the failure, or to undefined if it succeeded. */
export async function tcpConnect(
	{ host, port }: { readonly host: string; readonly port: number },
	{ clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<string | undefined> {
	const { connect } = await import('node:net');
	const address = joinHostPort(host, port);
	const { promise, resolve } = Promise.withResolvers<string | undefined>();
	const socket = connect({ host, port });
	const timer = clock.setTimer(timeoutMs, () => resolve(`dial tcp ${address}: i/o timeout`));
	socket.on('connect', () => resolve(undefined));
	socket.on('error', (error) => resolve(dialErrorText(error, address)));
	try {
		return await promise;
	} finally {
		timer.cancel();
		socket.destroy();
	}
}
