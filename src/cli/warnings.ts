import type { ApiRequest, ApiResponse, ApiTransport } from '../api/contract/transport.ts';
import { Client } from '../client/client.ts';
import type { CliContext, Connection } from './context.ts';

/** A context that prints the Warning headers of each response, each text once, as kubectl does. */
export function printingWarnings(context: CliContext): CliContext {
	const printed = new Set<string>();
	const print = (text: string): void => {
		if (printed.has(text)) return;
		printed.add(text);
		context.stderr.print(`Warning: ${text}\n`);
	};
	// Each connection needs a client of its own, since a client keeps its transport.
	const wrap = <C extends Connection>(connection: C): C => ({
		...connection,
		client: new Client(printing(connection.client.transport, print), { fieldManager: FIELD_MANAGER }),
	});
	return {
		...context,
		connect: async (kubeconfig) => wrap(await context.connect(kubeconfig)),
		findRunning: async (kubeconfig, options) => {
			const found = await context.findRunning(kubeconfig, options);
			return found && wrap(found);
		},
		startEmbedded: async (runtime) => wrap(await context.startEmbedded(runtime)),
	};
}

/** The name under which the server records the fields that a command sets. */
const FIELD_MANAGER = 'stint';

/**
 * A transport that prints warnings. Only requests are answered with any: watches, streams and sessions have no header that
 * a user would still read.
 */
function printing(transport: ApiTransport, print: (text: string) => void): ApiTransport {
	return {
		request: async (request: ApiRequest): Promise<ApiResponse> => {
			const response = await transport.request(request);
			for (const text of response.warnings) print(text);
			return response;
		},
		watch: (request, sink) => transport.watch(request, sink),
		stream: (request) => transport.stream(request),
		duplex: (request) => transport.duplex(request),
	};
}
