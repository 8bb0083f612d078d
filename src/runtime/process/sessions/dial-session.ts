import { closeSync } from 'node:fs';
import { CHANNELS, type Duplex, ENDED } from '../../../api/contract/duplex.ts';
import { messageOf } from '../../../base/message-of.ts';
import { ExecError } from '../../contract.ts';
import { dialProblem } from '../../host-port.ts';
import type { MainProcess } from '../containers/main-process.ts';
import type { NetworkPaths } from '../network/pod-networks.ts';
import { StartFailure } from '../shim/shim-failure.ts';
import { type ExecHost, SessionPipes } from './exec-session.ts';
import { receiveInput, sendOutput } from './session-pipes.ts';
import type { ServeSession } from './session-server.ts';

/** The launcher's components that a connection uses; without the shim there is none. */
export interface DialHost extends Pick<ExecHost, 'pipes' | 'clock'> {
	readonly shim: ExecHost['shim'] | undefined;
}

/**
 * Connects to a port of the loopback address in the network namespace of a Pod, by a process of the shim that joins it. The
 * channels `stdin` and `stdout` are the two directions. `network` is that of the Pod; undefined if it has none of its own, or
 * does not run. Rejects with {@link ExecError}, whose text is that of Go's net.Dial.
 */
export async function beginDial(
	network: Pick<NetworkPaths, 'netns'> | undefined,
	port: number,
	{ shim, ...host }: DialHost,
): Promise<ServeSession> {
	if (!network || !shim) throw new ExecError('ContainerNotRunning', 'the sandbox is not ready');
	const { netns } = network;
	const wanted = { stdin: true, stdout: true, stderr: false, tty: false };
	const pipes = await SessionPipes.take(wanted, { ...host, shim });
	try {
		const request = { id: shim.newId(), argv: [], env: {}, enter: true, netns, dial: port };
		const relay = await shim.start({ ...request, ...pipes.paths });
		pipes.noteStarted();
		return (peer) => serveConnection(relay, { peer, pipes });
	} catch (error) {
		pipes.noteStarted();
		for (const [, { readFd }] of pipes.outputs) closeSync(readFd);
		pipes.close();
		throw new ExecError('StartError', problemOf(error, port));
	}
}

/** The shim tells the error for the address of IPv6, and as its detail the errno for that of IPv4. */
function problemOf(error: unknown, port: number): string {
	if (!(error instanceof StartFailure) || error.step !== 'dial') return messageOf(error);
	const four = new StartFailure({ errno: Number(error.path), step: 'dial', detail: '' });
	return dialProblem(port, [four, error]);
}

async function serveConnection(
	relay: MainProcess,
	{ peer, pipes }: { readonly peer: Duplex; readonly pipes: SessionPipes },
): Promise<void> {
	const outputs = pipes.outputs.map(([channel, fifo]) => sendOutput(fifo.readFd, channel, peer));
	const left = peer.closed.then(() => pipes.close());
	const input = { stdin: pipes.stdin, control: pipes.control, onInputEnd: () => void pipes.stdin?.end() };
	void receiveInput(peer, input);
	const received = Promise.all(outputs.map(({ done }) => done)).then(() =>
		peer.send({ type: 'end', channel: CHANNELS.stdout }),
	);
	await relay.exit;
	relay.forget();
	await received;
	peer.close(ENDED);
	await left;
}
