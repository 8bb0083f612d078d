import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Message, type QueueBroker, QueueError } from './queue-broker.ts';

const QUEUE = /^\/memq\/server\/queues\/([^/]*)(?:\/(enqueue|dequeue|drain))?$/;

/** kuard's HTTP server: probes, and the queue broker under `/memq/server`. The caller makes it listen. */
export function createKuardServer(broker: QueueBroker, log: (line: string) => void): Server {
	return createServer((request, response) => {
		log(`${request.socket.remoteAddress} ${request.method} ${request.url}`);
		answer(broker, request, response).catch((error: unknown) => {
			const isTheirs = error instanceof QueueError;
			const message = error instanceof Error ? error.message : String(error);
			response.writeHead(isTheirs ? 400 : 500, { 'content-type': 'text/plain' }).end(`${message}\n`);
		});
	});
}

async function answer(
	broker: QueueBroker,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const path = (request.url ?? '/').replace(/\?.*$/, '');
	if (request.method === 'GET' && /^\/(healthy|ready)$/.test(path)) return void response.end('ok');
	if (request.method === 'GET' && path === '/') return void response.end('kuard\n');
	if (request.method === 'GET' && path === '/memq/server/stats') return sendJson(response, broker.stats());
	const [matched, name = '', action = ''] = QUEUE.exec(path) ?? [];
	const call = matched === undefined ? undefined : CALLS[`${request.method} ${action}`];
	if (!call) {
		response.writeHead(404).end('404 page not found\n');
		return;
	}
	if (name === '') throw new QueueError('the name of the queue is empty');
	call(response, { broker, name: decodeURIComponent(name), body: await readBody(request) });
}

type Call = (response: ServerResponse, given: { broker: QueueBroker; name: string; body: string }) => void;

const CALLS: Readonly<Record<string, Call>> = {
	'PUT ': (response, { broker, name }) => {
		broker.create(name);
		response.end();
	},
	'DELETE ': (response, { broker, name }) => {
		broker.delete(name);
		response.end();
	},
	'POST enqueue': (response, { broker, name, body }) => sendJson(response, broker.enqueue(name, body)),
	'POST dequeue': (response, { broker, name }) => sendMessage(response, broker.dequeue(name)),
	'POST drain': (response, { broker, name }) => {
		broker.drain(name);
		response.end();
	},
};

function sendMessage(response: ServerResponse, message: Message | undefined): void {
	if (message) sendJson(response, message);
	else response.writeHead(204).end();
}

function sendJson(response: ServerResponse, value: unknown): void {
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify(value));
}

async function readBody(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk);
	return Buffer.concat(chunks).toString();
}
