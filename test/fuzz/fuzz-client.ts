import { readFileSync } from 'node:fs';
import https from 'node:https';
import { parse } from 'yaml';
import type { FuzzRequest } from './requests.ts';

/** The outcome of a request, with its times in ms since the epoch. */
export interface FuzzOutcome {
	readonly request: FuzzRequest;
	readonly startedAt: number;
	endedAt?: number;
	/** The HTTP status; 0 if the connection broke before one arrived. */
	status: number;
	/** The first {@link KEPT_BYTES} of the answer, or the error that broke the connection. */
	text: string;
}

/** How much of an answer is kept. */
const KEPT_BYTES = 2000;

/** How long a watch stays open before the client closes it, in milliseconds. */
const WATCHED_MS = 200;

/** A raw HTTPS client with a server's token. It reuses connections, and its promises never reject. */
export class FuzzClient {
	readonly #url: URL;
	readonly #token: string;
	readonly #certificateAuthority: string;
	readonly #agent = new https.Agent({ keepAlive: true, maxSockets: 64 });

	constructor(kubeconfig: string) {
		const config = parse(readFileSync(kubeconfig, 'utf8'));
		this.#url = new URL(config.clusters[0].cluster.server);
		this.#token = config.users[0].user.token;
		this.#certificateAuthority = atob(config.clusters[0].cluster['certificate-authority-data']);
	}

	/** Sends a request and resolves once its answer has ended. */
	send(request: FuzzRequest): Promise<FuzzOutcome> {
		const outcome: FuzzOutcome = { request, startedAt: Date.now(), status: 0, text: '' };
		return new Promise((resolve) => {
			const settle = (broken?: Error): void => {
				if (broken && outcome.status === 0) outcome.text = `${broken}`;
				outcome.endedAt ??= Date.now();
				resolve(outcome);
			};
			const sent = https.request(this.#optionsOf(request), (response) => {
				outcome.status = response.statusCode ?? 0;
				response.setEncoding('utf8').on('data', (piece: string) => {
					if (outcome.text.length < KEPT_BYTES) outcome.text += piece.slice(0, KEPT_BYTES);
				});
				response.on('end', () => settle()).on('close', () => settle());
				if (request.path.includes('watch=')) setTimeout(() => response.destroy(), WATCHED_MS).unref();
			});
			sent.on('error', settle).setTimeout(60_000, () => sent.destroy(new Error('no answer for a minute')));
			sent.end(request.body?.bytes);
		});
	}

	/** Closes all connections. */
	close(): void {
		this.#agent.destroy();
	}

	#optionsOf({ method, path, accept, body }: FuzzRequest): https.RequestOptions {
		return {
			agent: this.#agent,
			host: this.#url.hostname,
			port: this.#url.port,
			ca: this.#certificateAuthority,
			method,
			path,
			headers: {
				authorization: `Bearer ${this.#token}`,
				...(accept && { accept }),
				...(body && { 'content-length': body.bytes.length }),
				...(body?.contentType && { 'content-type': body.contentType }),
			},
		};
	}
}
