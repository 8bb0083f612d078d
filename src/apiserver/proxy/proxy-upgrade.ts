import type { IncomingMessage } from 'node:http';
import { type Duplex as NodeStream, pipeline } from 'node:stream';
import { ApiError } from '../../api/errors/api-error.ts';
import { answerHead, joinStreams } from '../../base/http/upgraded.ts';
import { answeredHeaders } from '../../plan/proxy/proxied-headers.ts';
import type { UpgradeRequest } from '../streams/session-options.ts';
import { failureText, sendToBackend } from './backend-request.ts';
import type { ProxyTarget } from './proxy-target.ts';

/**
 * Passes a request to upgrade its connection on to a Pod, and then all bytes in both directions, until either side ends or
 * `stopping` aborts. Resolves to the status code. Rejects with an ApiError if the Pod cannot be reached or answers without
 * an upgrade and without an error (upstream: UpgradeAwareHandler.tryUpgrade).
 */
export async function proxyUpgrade(
	target: ProxyTarget,
	{ request, socket, head }: UpgradeRequest,
	{ gone, stopping }: { readonly gone: AbortSignal; readonly stopping: AbortSignal },
): Promise<number> {
	const signal = AbortSignal.any([gone, stopping]);
	const backend = await sendToBackend(target, request, { isUpgrade: true, signal }).catch(
		(error: unknown): never => {
			throw failure(`error dialing backend: ${failureText(error)}`);
		},
	);
	try {
		// Bytes that the client sends before the answer belong to the other protocol.
		backend.sent.end();
		const answer = await backend.answer.catch((error: unknown): never => {
			throw failure(failureText(error));
		});
		const code = answer.response.statusCode ?? 502;
		if (answer.type === 'response' && code < 400)
			throw failure(`invalid upgrade response: status code ${code}`);
		const { response } = answer;
		// Without an upgrade the body ends with the connection.
		const headers =
			answer.type === 'upgrade'
				? response.rawHeaders
				: answeredHeaders(response.rawHeaders, { connection: 'close' });
		socket.write(answerHead(response, headers), 'latin1');
		if (answer.type === 'response') await ended(response, socket);
		else {
			if (head.length > 0) socket.unshift(head);
			if (answer.head.length > 0) answer.socket.unshift(answer.head);
			await joinStreams(answer.socket, socket);
		}
		return code;
	} finally {
		backend.close();
	}
}

/** 500 with a text of upstream's, which has no reason. */
function failure(message: string): ApiError {
	const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const;
	return new ApiError({ ...head, message, code: 500 });
}

/** Sends a body, and resolves once it has been sent or one side has failed. */
function ended(body: IncomingMessage, socket: NodeStream): Promise<void> {
	return new Promise((resolve) => {
		pipeline(body, socket, () => {
			socket.destroy();
			resolve();
		});
	});
}
