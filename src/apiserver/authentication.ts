import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { unauthorized } from '../api/meta/api-error.ts';
import { refused } from './errors.ts';

/**
 * The authenticate stage: who may talk to the server over a connection.
 *
 * 1. No web page can: a request with an Origin is refused, and so is one whose Host is not this machine
 *    (a name of somebody else's that was pointed at 127.0.0.1).
 * 2. Everybody else shows the token, except where `open` says that the path is for all.
 */
export class Authentication {
	readonly #digest: Buffer;

	constructor(token: string) {
		this.#digest = digestOf(token);
	}

	/** Lets a request pass, or throws Forbidden or Unauthorized. */
	check(headers: IncomingHttpHeaders, open: boolean): void {
		if (headers.origin !== undefined) throw refused('requests from web pages are not allowed');
		if (!isLoopbackHost(headers.host ?? '')) {
			throw refused('the Host header must name this machine by a loopback name or address');
		}
		if (!open && !this.#knows(headers.authorization ?? '')) throw unauthorized();
	}

	#knows(authorization: string): boolean {
		const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
		// Digests have one length, so the comparison takes the same time whatever was sent.
		return token !== undefined && timingSafeEqual(digestOf(token), this.#digest);
	}
}

/** Whether a Host header names the machine itself: `localhost`, 127.0.0.0/8 or `[::1]`, with any port. */
export function isLoopbackHost(host: string): boolean {
	return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

function digestOf(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
