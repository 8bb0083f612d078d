import type { ApiTransport } from '../../api/contract/transport.ts';
import type { User } from '../../api/contract/user.ts';

/**
 * A transport whose requests are those of `user`, if `transport` calls a server in this process. Over a
 * connection the server decides by the credentials instead. A request with a user of its own keeps that.
 */
export function transportAs(transport: ApiTransport, user: User): ApiTransport {
	return {
		request: (request) => transport.request({ user, ...request }),
		watch: (request, sink) => transport.watch({ user, ...request }, sink),
		stream: (request) => transport.stream({ user, ...request }),
		duplex: (request) => transport.duplex({ user, ...request }),
	};
}
