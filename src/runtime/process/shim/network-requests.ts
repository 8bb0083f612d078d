import { openSync } from 'node:fs';
import type { ShimEvent } from './shim-event.ts';
import { StartFailure } from './shim-failure.ts';
import { encodeNetworkRequest, type NetworkRequest } from './shim-request.ts';
import type { ShimServer } from './shim-server.ts';

/** The server of the shim that gets a request, and the id of the request. */
export interface NetworkAddressee extends ShimServer {
	readonly id: string;
}

interface Asked {
	readonly to: NetworkAddressee;
	readonly answered: PromiseWithResolvers<number | undefined>;
}

/** The requests about networks to the servers of a shim. They are answered at once, and no file records them. */
export class NetworkRequests {
	readonly #asked = new Map<string, Asked>();

	/** As Shim.changeNetwork. */
	async send(request: NetworkRequest, to: NetworkAddressee): Promise<number | undefined> {
		const answered = Promise.withResolvers<number | undefined>();
		this.#asked.set(to.id, { to, answered });
		to.child.stdin?.write(encodeNetworkRequest(to.id, request));
		return await answered.promise;
	}

	/** Takes the answer to a request; returns whether it was one. */
	take(event: ShimEvent): boolean {
		const asked = this.#asked.get(event.id);
		if (!asked) return false;
		this.#asked.delete(event.id);
		const { to, answered } = asked;
		if (event.kind === 'failed') answered.reject(new StartFailure(event.failure));
		else if (event.kind !== 'answered' || event.descriptor === undefined) answered.resolve(undefined);
		else {
			try {
				answered.resolve(openSync(`/proc/${to.child.pid}/fd/${event.descriptor}`, 'r'));
			} catch (error) {
				answered.reject(error);
			}
			const close = { network: 'close', descriptor: String(event.descriptor) } as const;
			to.child.stdin?.write(encodeNetworkRequest(to.id, close));
		}
		return true;
	}

	/** Whether a request to the server with this number has no answer yet. */
	waitsFor(number: number): boolean {
		return Array.from(this.#asked.values()).some(({ to }) => to.number === number);
	}

	/** Rejects the requests to a server that has ended. */
	giveUp(number: number): void {
		for (const [id, { to, answered }] of this.#asked) {
			if (to.number !== number) continue;
			this.#asked.delete(id);
			answered.reject(Object.assign(new Error('the shim ended'), { code: 'EAGAIN' }));
		}
	}
}
