import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import type { ContainerAttachRequest, ContainerExecRequest, NodeApi } from '../../api/contract/node-api.ts';
import { exitStatus, SUCCESS } from '../../api/core/pod/exec.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';

/**
 * A node agent whose logs contain the options that it received. Its commands print the options to standard error
 * and copy standard input to standard output; at the end of the input they exit with the number of its bytes. So do its
 * containers, to which it attaches. Its ports return what they receive; nothing listens on port 81.
 */
export const ECHO_NODE: NodeApi = {
	containerLog: async ({ signal: _signal, ...request }) =>
		(async function* () {
			yield Buffer.from(`${JSON.stringify(request)}\n`);
		})(),
	usage: () => Promise.reject(new Error('this node measures nothing')),
	exec: async (request) => {
		const [caller, own] = duplexPair();
		void echo(own, { ...request, exitCode: true });
		return caller;
	},
	attach: async (request) => {
		const [caller, own] = duplexPair();
		void echo(own, { ...request, exitCode: false });
		return caller;
	},
	portForward: async ({ port }) => {
		if (port === 81) throw badRequest('dial tcp4 127.0.0.1:81: connect: connection refused');
		const [caller, own] = duplexPair();
		void echoBytes(own);
		return caller;
	},
};

async function echoBytes(connection: Duplex): Promise<void> {
	for (;;) {
		const message = await connection.receive();
		if (!message) return;
		await connection.send(message);
		if (message.type === 'end') break;
	}
	connection.close();
}

type EchoRequest = (ContainerExecRequest | ContainerAttachRequest) & {
	/** Whether the session ends with the number of bytes as the exit code. */
	readonly exitCode: boolean;
};

async function echo(session: Duplex, { exitCode, ...request }: EchoRequest): Promise<void> {
	const options = Buffer.from(JSON.stringify(request));
	await session.send({ type: 'data', channel: CHANNELS.stderr, bytes: options });
	let size = 0;
	while (request.stdin) {
		const message = await session.receive();
		if (!message) return;
		if (message.type === 'end') break;
		if (message.channel !== CHANNELS.stdin) continue;
		size += message.bytes.length;
		await session.send({ ...message, channel: CHANNELS.stdout });
	}
	const status = 'command' in request && exitCode ? exitStatus(request.command, size) : SUCCESS;
	const bytes = Buffer.from(JSON.stringify(status));
	await session.send({ type: 'data', channel: CHANNELS.error, bytes });
	session.close();
}
