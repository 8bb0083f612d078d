import { CHANNELS, type Duplex } from '../../../api/contract/duplex.ts';
import { duplexPair } from '../../../api/streams/duplex-pair.ts';
import { WebSocketDuplex } from '../../../api/streams/websocket-duplex.ts';
import { ExecError, type ExecSession, RuntimeUnavailable } from '../../contract.ts';
import { connectIn } from '../launcher/folder-socket.ts';
import { SESSIONS_NAME } from '../launcher/launcher-files.ts';
import { FrameSocket } from './frame-socket.ts';
import {
	decodeExecEnd,
	decodeSessionAnswer,
	type SessionAnswer,
	type SessionRequest,
} from './session-protocol.ts';

/** The exit code of a command whose session was lost or closed: it was killed. */
const KILLED = 137;

/**
 * Opens a session with the launcher of `folder`. Rejects with {@link ExecError} if the launcher refuses it, and with
 * {@link RuntimeUnavailable} if there is none.
 */
export async function openSession(folder: string, request: SessionRequest): Promise<Duplex> {
	const socket = await connectIn(folder, SESSIONS_NAME);
	if (!socket) throw new RuntimeUnavailable(`no launcher listens in ${folder}`);
	const frames = new FrameSocket(socket);
	frames.send(Buffer.from(JSON.stringify(request)), () => {});
	const answered = Promise.withResolvers<SessionAnswer>();
	const lost = (): void => answered.reject(new RuntimeUnavailable('the launcher has closed the session'));
	frames.on('error', lost);
	frames.once('close', lost);
	// The messages after the answer are for the duplex: its listener is added before the next chunk is read.
	frames.once('message', (bytes: Buffer) => {
		frames.pause();
		answered.resolve(decodeSessionAnswer(bytes));
	});
	const answer = await answered.promise;
	frames.off('close', lost);
	if (!answer.ok) {
		socket.destroy();
		throw answer.reason
			? new ExecError(answer.reason, answer.message)
			: new RuntimeUnavailable(answer.message);
	}
	const duplex = new WebSocketDuplex(frames, { protocol: 'v5.channel.k8s.io', sendsEnds: true });
	frames.resume();
	return duplex;
}

/** The session of a command: the exit code comes on its channel `error`, which callers do not see. */
export function commandSession(duplex: Duplex): ExecSession {
	const exit = Promise.withResolvers<number>();
	const [caller, inner] = duplexPair();
	const forward = async (): Promise<void> => {
		for (let message = await duplex.receive(); message; message = await duplex.receive()) {
			if (message.channel !== CHANNELS.error) await inner.send(message);
			else if (message.type === 'data') exit.resolve(decodeExecEnd(message.bytes).exitCode);
		}
		exit.resolve(KILLED);
		inner.close(await duplex.closed);
	};
	const back = async (): Promise<void> => {
		for (let message = await inner.receive(); message; message = await inner.receive())
			await duplex.send(message);
		duplex.close(await inner.closed);
	};
	void forward();
	void back();
	return { streams: caller, exitCode: exit.promise };
}
