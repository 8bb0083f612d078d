import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import type { ContainerExecRequest, NodeApi } from '../../api/contract/node-api.ts';
import { exitStatus } from '../../api/core/pod/exec.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';

/**
 * A node agent whose logs contain the options that it received. Its commands print the options to standard error
 * and copy standard input to standard output; at the end of the input they exit with the number of its bytes.
 */
export const ECHO_NODE: NodeApi = {
	containerLog: async ({ signal: _signal, ...request }) =>
		(async function* () {
			yield Buffer.from(`${JSON.stringify(request)}\n`);
		})(),
	usage: () => Promise.reject(new Error('this node measures nothing')),
	exec: async (request) => {
		const [caller, own] = duplexPair();
		void echo(own, request);
		return caller;
	},
};

async function echo(session: Duplex, request: ContainerExecRequest): Promise<void> {
	const options = Buffer.from(JSON.stringify(request));
	await session.send({ type: 'data', channel: CHANNELS.stderr, bytes: options });
	let size = 0;
	for (;;) {
		const message = await session.receive();
		if (!message) return;
		if (message.type === 'end') break;
		if (message.channel !== CHANNELS.stdin) continue;
		size += message.bytes.length;
		await session.send({ ...message, channel: CHANNELS.stdout });
	}
	const bytes = Buffer.from(JSON.stringify(exitStatus(request.command, size)));
	await session.send({ type: 'data', channel: CHANNELS.error, bytes });
	session.close();
}
