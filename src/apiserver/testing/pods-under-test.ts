import assert from 'node:assert/strict';
import type { ApiRequest, ApiResponse } from '../../api/contract/transport.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { openTestServer, PODS, type TestServer } from './server-contract-suite.ts';

/**
 * A server that is opened for each test, with short forms of requests in the process. Paths begin below the Pods of the
 * namespace `default`: `/p/eviction`, or an empty path for the Pods themselves.
 */
export class PodsUnderTest {
	#opened: TestServer | undefined;

	/** Opens a server. */
	async open(): Promise<void> {
		this.#opened = await openTestServer();
	}

	/** Closes it, and fails if it reported an error. */
	close(): void {
		this.opened.server.close();
		assert.deepEqual(this.opened.faults, []);
	}

	get opened(): TestServer {
		assert.ok(this.#opened);
		return this.#opened;
	}

	readonly get = (path: string): Promise<ApiResponse> => this.#send({ method: 'GET', path, query: {} });

	readonly post = (path: string, body: unknown, query = {}): Promise<ApiResponse> =>
		this.#send({ method: 'POST', path, body, query });

	readonly put = (path: string, body: unknown): Promise<ApiResponse> =>
		this.#send({ method: 'PUT', path, body, query: {}, contentType: 'application/json' });

	/** A strategic merge patch. */
	readonly patch = (path: string, body: unknown): Promise<ApiResponse> => {
		const contentType = 'application/strategic-merge-patch+json';
		return this.#send({ method: 'PATCH', path, body, query: {}, contentType });
	};

	/** The Pod as it is stored. */
	readonly podAt = async (name: string): Promise<Pod> => (await this.get(`/${name}`)).object as Pod; // `as`: a path of Pods leads to a Pod.

	#send(request: ApiRequest): Promise<ApiResponse> {
		return this.opened.server.request({ ...request, path: `${PODS}${request.path}` });
	}
}
