import assert from 'node:assert/strict';
import type { ApiRequest, ApiTransport } from '../../api/contract/transport.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { ECHO_NODE } from './echo-node.ts';
import { openTestServer, type TestConnection, type TestServer } from './server-contract-suite.ts';

/** A server that is opened for each test, with a transport to it and short forms of the requests. */
export class ApiUnderTest {
	#opened: TestServer | undefined;
	#connection: TestConnection | undefined;

	/** Opens a server and connects to it. */
	async open(connect: (opened: TestServer) => Promise<TestConnection>): Promise<void> {
		this.#opened = await openTestServer({ nodeApi: ECHO_NODE });
		this.#connection = await connect(this.#opened);
	}

	/** Closes both, and fails if the server reported an error. */
	async close(): Promise<void> {
		await this.#connection?.close();
		this.opened.server.close();
		assert.deepEqual(this.opened.faults, []);
	}

	get opened(): TestServer {
		assert.ok(this.#opened);
		return this.#opened;
	}

	get transport(): ApiTransport {
		assert.ok(this.#connection);
		return this.#connection.transport;
	}

	readonly send = async (request: ApiRequest): Promise<Pod> => {
		const { object } = await this.transport.request(request);
		// `as`: most tests use Pods, and none reads a field that its object does not have.
		return object as Pod;
	};

	readonly post = (path: string, body: unknown, query = {}): Promise<Pod> =>
		this.send({ method: 'POST', path, body, query });

	readonly put = (path: string, body: unknown, query = {}): Promise<Pod> =>
		this.send({ method: 'PUT', path, body, query });

	readonly get = (path: string, query = {}): Promise<Pod> => this.send({ method: 'GET', path, query });

	readonly patch = (path: string, kind: string, body: unknown, query = {}): Promise<Pod> =>
		this.send({ method: 'PATCH', path, body, query, contentType: `application/${kind}+json` });

	readonly remove = (path: string, body?: unknown, query = {}): Promise<Pod> =>
		this.send({ method: 'DELETE', path, body, query });

	readonly list = async (
		path: string,
		query = {},
	): Promise<{ readonly items: readonly KubeObject[]; readonly metadata: Record<string, unknown> }> => {
		const { object } = await this.transport.request({ method: 'GET', path, query });
		return object as never; // `as`: see above.
	};

	readonly names = async (path: string, query = {}): Promise<readonly string[]> =>
		(await this.list(path, query)).items.map(({ metadata }) => metadata.name ?? '');
}
