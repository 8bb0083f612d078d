import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
	ApiRequest,
	ApiResponse,
	ApiTransport,
	ApiWatchSink,
} from '../../src/api/contract/transport.ts';
import { type Credentials, loadCredentials } from '../../src/apiserver/http/credentials.ts';
import { listen } from '../../src/apiserver/http/listener.ts';
import type { ApiServer } from '../../src/apiserver/server.ts';
import { SystemClock } from '../../src/base/clock.ts';
import { HttpTransport } from '../../src/client/transport/http-node.ts';

let credentials: Promise<Credentials> | undefined;

/** Made once for all tests of a file: generating a key is slow. */
async function sharedCredentials(): Promise<Credentials> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-test-'));
	try {
		return await loadCredentials(folder, new SystemClock().now());
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/**
 * Serves an API server over HTTPS on a free port until the test ends, and returns a transport to it. Tests
 * run the same component over this and over the direct call, because only here objects are decoded anew each
 * time.
 */
export function overHttp(t: TestContext): (server: ApiServer) => Promise<ApiTransport> {
	return async (server) => {
		credentials ??= sharedCredentials();
		const { caPem, token, ...rest } = await credentials;
		const listener = await listen({
			server,
			credentials: { caPem, token, ...rest },
			port: 0,
			clock: new SystemClock(),
			onError: (where, error) => t.diagnostic(`${where}: ${error}`),
		});
		const transport = new HttpTransport({
			server: listener.url,
			namespace: 'default',
			certificateAuthority: caPem,
			token,
		});
		t.after(async () => {
			transport.close();
			await listener.close();
		});
		return transport;
	};
}

/** What a test does with the requests and the watches of a component. */
export interface Interception {
	/** Called for each request. Forwards it with `send`, or answers or throws instead. */
	readonly request: (request: ApiRequest, send: () => Promise<ApiResponse>) => Promise<ApiResponse>;
	/** Returns the sink that receives the events of a watch in place of `sink`. */
	readonly watch?: (request: ApiRequest, sink: ApiWatchSink) => ApiWatchSink;
}

/**
 * Wraps `transport` so that an {@link Interception} handles its requests and watches; streams pass unchanged.
 */
export function intercepted(
	transport: ApiTransport,
	{ request, watch = (_, sink) => sink }: Interception,
): ApiTransport {
	return {
		request: (each) => request(each, () => transport.request(each)),
		watch: (each, sink) => transport.watch(each, watch(each, sink)),
		stream: (each) => transport.stream(each),
		duplex: (each) => transport.duplex(each),
	};
}
