import type { ApiTransport } from '../../api/contract/transport.ts';

/**
 * A transport for a component that stops with `signal`: after the abort, calls reject with the AbortError
 * instead of being sent. A pending call completes in the in-process transport, and is aborted in the HTTP
 * transport. So a stopped component ends after its pending call. A call with a signal of its own keeps that.
 */
export function boundTransport(transport: ApiTransport, signal: AbortSignal): ApiTransport {
	return {
		request: (request) => transport.request({ signal, ...request }),
		watch: (request, sink) => transport.watch({ signal, ...request }, sink),
		stream: (request) => transport.stream({ signal, ...request }),
		duplex: (request) => transport.duplex({ signal, ...request }),
	};
}
