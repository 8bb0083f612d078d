import type { ApiTransport } from '../api/meta/transport.ts';

/**
 * `transport` for a component that ends with `signal`: once that has aborted, calls reject with its
 * AbortError instead of being sent. Calls under way finish in a transport in this process and are cut off in
 * one over a connection. So a component that is told to stop ends after the call that it is waiting for.
 * A call that brings a signal of its own keeps it.
 */
export function boundTransport(transport: ApiTransport, signal: AbortSignal): ApiTransport {
	return {
		request: (request) => transport.request({ signal, ...request }),
		watch: (request, sink) => transport.watch({ signal, ...request }, sink),
		stream: (request) => transport.stream({ signal, ...request }),
	};
}
