import type { ClientRequest, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf } from '../../base/files/system-error.ts';
import { answerHead, joinStreams } from '../../base/http/upgraded.ts';
import { messageOf } from '../../base/message-of.ts';
import type { FilterDecision, ProxyRequestHead } from '../../cli/proxy/proxied-request.ts';
import type { LocalAddress, LocalPort } from '../../cli/streams/local-ports.ts';
import type { ApiForwarder } from '../../client/transport/http-node-forward.ts';
import { endToEndHeaders, valuesOf } from '../../plan/proxy/proxied-headers.ts';
import { listenOn } from './local-ports.ts';

/**
 * Implements {@link CliContext.serveApi}: a proxy that adds credentials and changes nothing else. Answers are passed on as
 * they arrive, so that watches and logs can be followed, and each request ends when its client goes away.
 */
export class ApiProxy {
	readonly #forwarder: Pick<ApiForwarder, 'send' | 'close'>;
	readonly #filter: (head: ProxyRequestHead) => FilterDecision;
	readonly #server: Server;
	/** The connections that have been upgraded, which the server does not know any more. */
	readonly #upgraded = new Set<Duplex>();

	constructor(
		forwarder: Pick<ApiForwarder, 'send' | 'close'>,
		filter: (head: ProxyRequestHead) => FilterDecision,
	) {
		this.#forwarder = forwarder;
		this.#filter = filter;
		// The clients are on this machine, and may send a body for as long as they like.
		this.#server = process
			.getBuiltinModule('node:http')
			.createServer({ requestTimeout: 0 }, (request, response) => this.#serve(request, response));
		this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, { socket, head }));
	}

	/** Opens the port. Rejects with the system's error. */
	async listen(address: LocalAddress): Promise<LocalPort> {
		return { port: await listenOn(this.#server, address), close: () => this.#close() };
	}

	/** Closes the port and all connections. */
	#close(): void {
		this.#server.close();
		this.#server.closeAllConnections();
		for (const socket of this.#upgraded) socket.destroy();
		this.#forwarder.close();
	}

	#decide({ method = 'GET', url = '', headers }: IncomingMessage): FilterDecision {
		return this.#filter({ method, url, host: headers.host ?? '' });
	}

	#serve(request: IncomingMessage, response: ServerResponse): void {
		const decision = this.#decide(request);
		if (decision.type === 'refused') {
			refuse(response, decision.code);
			return;
		}
		if (decision.type === 'redirected') {
			response.writeHead(307, { location: decision.location, 'content-length': 0 }).end();
			return;
		}
		const send = (isRetry: boolean): void => {
			const sent = this.#send(request, { path: decision.path, isUpgrade: false });
			response.once('close', () => sent.destroy());
			sent.on('error', (error) => {
				if (response.headersSent) response.destroy();
				// The server has closed the kept connection just now: nothing has been lost.
				else if (!isRetry && sent.reusedSocket && !hasBody(request) && codeOf(error) === 'ECONNRESET')
					send(true);
				else refuse(response, 502, messageOf(error));
			});
			sent.on('response', (answer) => passBack(answer, response));
			request.pipe(sent);
		};
		send(false);
	}

	#upgrade(
		request: IncomingMessage,
		{ socket, head }: { readonly socket: Duplex; readonly head: Buffer },
	): void {
		this.#upgraded.add(socket);
		socket.on('error', () => undefined);
		socket.once('close', () => this.#upgraded.delete(socket));
		const decision = this.#decide(request);
		if (decision.type !== 'passed') {
			const code = decision.type === 'refused' ? decision.code : 400;
			refuseUpgrade(socket, code, reasonOf(code));
			return;
		}
		const sent = this.#send(request, { path: decision.path, isUpgrade: true });
		socket.once('close', () => sent.destroy());
		sent.on('error', (error) => refuseUpgrade(socket, 502, messageOf(error)));
		sent.once('upgrade', (answer, upstream, first) => {
			socket.write(answerHead(answer, answer.rawHeaders), 'latin1');
			if (head.length > 0) socket.unshift(head);
			if (first.length > 0) upstream.unshift(first);
			void joinStreams(upstream, socket);
		});
		sent.once('response', (answer) => {
			const headers = [...endToEndHeaders(answer.rawHeaders), 'connection', 'close'];
			socket.write(answerHead(answer, headers), 'latin1');
			answer.on('error', () => socket.destroy());
			answer.pipe(socket);
		});
		sent.end();
	}

	#send(
		{ method = 'GET', rawHeaders }: IncomingMessage,
		{ path, isUpgrade }: { readonly path: string; readonly isUpgrade: boolean },
	): ClientRequest {
		const kept = isUpgrade ? rawHeaders : endToEndHeaders(rawHeaders);
		const headers: Record<string, string[]> = {};
		for (let index = 0; index < kept.length; index += 2) {
			const name = (kept[index] ?? '').toLowerCase();
			// The server checks that its own name is meant.
			if (name === 'host' || name === 'expect') continue;
			headers[name] = [...(headers[name] ?? []), kept[index + 1] ?? ''];
		}
		if (!isUpgrade && valuesOf(rawHeaders, 'transfer-encoding').length > 0)
			headers['transfer-encoding'] = ['chunked'];
		return this.#forwarder.send({ method, path, headers });
	}
}

function hasBody({ headers }: IncomingMessage): boolean {
	return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function passBack(answer: IncomingMessage, response: ServerResponse): void {
	response.writeHead(answer.statusCode ?? 502, [...endToEndHeaders(answer.rawHeaders)]);
	response.flushHeaders();
	answer.on('error', () => response.destroy());
	answer.pipe(response);
}

function reasonOf(code: number): string {
	return process.getBuiltinModule('node:http').STATUS_CODES[code] ?? '';
}

function refuse(response: ServerResponse, code: number, text = reasonOf(code)): void {
	const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
	// A body that has not been read ends with the connection.
	response.writeHead(code, { ...headers, connection: 'close' }).end(`${text}\n`);
}

function refuseUpgrade(socket: Duplex, code: number, text: string): void {
	if (socket.destroyed) return;
	const headers = ['content-type', 'text/plain; charset=utf-8', 'connection', 'close'];
	const head = answerHead({ statusCode: code, statusMessage: reasonOf(code) }, headers);
	socket.end(`${head}${text}\n`, () => socket.destroy());
}
