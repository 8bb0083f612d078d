import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ApiRequest, ApiResponse, ApiTransport, ApiWatchSink } from '../../src/api/meta/transport.ts';
import { type Credentials, loadCredentials } from '../../src/apiserver/credentials.ts';
import { listen } from '../../src/apiserver/http.ts';
import type { ApiServer } from '../../src/apiserver/server.ts';
import { SystemClock } from '../../src/base/clock.ts';
import { HttpTransport } from '../../src/client/http-transport.ts';

let credentials: Promise<Credentials> | undefined;

/** Made once for all tests of a file: a key takes a while. */
async function sharedCredentials(): Promise<Credentials> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-test-'));
	try {
		return await loadCredentials(folder, new SystemClock().now());
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/** The way to an API server over HTTPS, on a port of its own until the test ends. */
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

/** What stands between a component and the API server in a test. */
export interface Interception {
	/** Sees each request and passes it on with `send`, or does something else. */
	readonly request: (request: ApiRequest, send: () => Promise<ApiResponse>) => Promise<ApiResponse>;
	/** What a watch tells in place of `sink`. */
	readonly watch?: (request: ApiRequest, sink: ApiWatchSink) => ApiWatchSink;
}

/** `transport` with something in between that sees its requests. */
export function intercepted(
	transport: ApiTransport,
	{ request, watch = (_, sink) => sink }: Interception,
): ApiTransport {
	return {
		request: (each) => request(each, () => transport.request(each)),
		watch: (each, sink) => transport.watch(each, watch(each, sink)),
		stream: (each) => transport.stream(each),
	};
}
