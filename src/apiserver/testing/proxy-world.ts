import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { TestContext } from 'node:test';
import type { Duplex } from '../../api/contract/duplex.ts';
import { bindPod } from './exec-contract-suite.ts';
import { listenTo, type Sent, send } from './https-test-client.ts';
import { openTestServer, PODS, type TestServer } from './server-contract-suite.ts';
import { type WebNode, webNode } from './web-node.ts';

/** A server over HTTPS whose Pods serve HTTP. */
export interface ProxyWorld {
	readonly opened: TestServer;
	readonly node: WebNode;
	/** The Host header of the requests. */
	readonly host: string;
	/** Sends a request to a path below the namespace `default`. */
	readonly send: (method: string, path: string, sent?: Sent) => Promise<IncomingMessage>;
}

/** A server with the Pod `p`, whose address is 10.0.0.7; see {@link webNode} for its ports. */
export async function proxyWorld(
	t: TestContext,
	listener: RequestListener,
	raw?: (connection: Duplex) => void,
): Promise<ProxyWorld> {
	const node = await webNode(listener, raw);
	const opened = await openTestServer({ nodeApi: node });
	await bindPod(opened);
	const contentType = 'application/merge-patch+json';
	const body = { status: { podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }] } };
	await opened.server.request({ method: 'PATCH', path: `${PODS}/p/status`, body, contentType });
	const listening = await listenTo(opened);
	t.after(async () => {
		await listening.close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});
	return {
		opened,
		node,
		host: `127.0.0.1:${listening.port}`,
		send: (method, path, sent) => send(listening, method, `/api/v1/namespaces/default/${path}`, sent),
	};
}

/** Answers with the request, as JSON. */
export const mirror: RequestListener = async (request, response) => {
	let body = '';
	for await (const piece of request.setEncoding('utf8')) body += piece;
	const { method, url, headers } = request;
	response.setHeader('x-method', method ?? '').end(JSON.stringify({ method, url, headers, body }));
};
