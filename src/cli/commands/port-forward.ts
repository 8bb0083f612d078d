import type { Duplex } from '../../api/contract/duplex.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { services } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { messageOf } from '../../base/message-of.ts';
import { pathOf } from '../../client/client.ts';
import { parseTargets } from '../args/resource-args.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from '../context.ts';
import { describeError } from '../errors.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { ForwardedPort, LocalPort } from '../streams/local-ports.ts';
import { forwardedPorts, listenedAddresses } from '../streams/port-args.ts';
import { streamedPod, waitOf } from '../streams/stream-pod.ts';

/** The flags of `port-forward`. */
export interface PortForwardFlags extends CommonFlags {
	readonly address: string;
	readonly podRunningTimeout?: string;
}

/**
 * `stint port-forward (POD | TYPE/NAME) [LOCAL:]REMOTE...`: accepts connections on this machine and passes them on to
 * ports of a Pod, until it is interrupted or, as kubectl, until a connection cannot be made. Resolves to the exit code.
 */
export async function portForward(
	context: CliContext,
	words: readonly string[],
	flags: PortForwardFlags,
): Promise<number> {
	const [word, ...ports] = words;
	if (word === undefined || ports.length === 0)
		throw new CommandError('TYPE/NAME and list of ports are required for port-forward');
	const waitMs = waitOf('port-forward', flags.podRunningTimeout);
	const addresses = listenedAddresses(flags.address);
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.namespace ?? connection.namespace;
	const pod = await streamedPod(context, connection, { word, namespace, waitMs });
	if (pod.status.phase !== 'Running')
		throw new CommandError(
			`unable to forward port because pod is not running. Current status=${pod.status.phase}`,
		);
	const lost = Promise.withResolvers<string>();
	const forward = (local: Duplex, port: ForwardedPort, number: number): void => {
		context.stdout.print(`Handling connection for ${number}\n`);
		void forwardOne(connection, pod, { local, port }).then((problem) => {
			if (problem === undefined) return;
			context.stderr.print(`error: an error occurred forwarding ${number} -> ${port.remote}: ${problem}\n`);
			lost.resolve(problem);
		});
	};
	const open: LocalPort[] = [];
	for (const port of forwardedPorts(ports, pod, await serviceOf(connection, { word, namespace })))
		open.push(...(await listenOn(context, { port, addresses }, forward)));
	if (open.length === 0) throw new CommandError('unable to listen on any of the requested ports');
	const interrupted = Promise.withResolvers<number>();
	const off = context.onInterrupt((by) => interrupted.resolve(EXIT_CODES[by]));
	try {
		const end = await Promise.race([lost.promise, interrupted.promise]);
		if (typeof end === 'string') throw new CommandError('lost connection to pod');
		return end;
	} finally {
		off();
		for (const each of open) each.close();
	}
}

/** The Service whose ports are meant, if the argument names one. */
async function serviceOf(
	{ client }: Connection,
	{ word, namespace }: { readonly word: string; readonly namespace: string },
): Promise<Service | undefined> {
	const [target] = word.includes('/') ? parseTargets([word]) : [];
	if (target?.definition !== services || target.name === undefined) return undefined;
	return await client.resource(services, namespace).get(target.name);
}

/** Listens on all addresses; the ports that could not be opened are reported. */
async function listenOn(
	context: CliContext,
	{
		port,
		addresses,
	}: { readonly port: ForwardedPort; readonly addresses: ReturnType<typeof listenedAddresses> },
	forward: (local: Duplex, port: ForwardedPort, number: number) => void,
): Promise<readonly LocalPort[]> {
	const open: LocalPort[] = [];
	for (const { host, isOptional } of addresses) {
		// As kubectl: with :0 each address gets a port of its own only if the first one's is not free there.
		const wanted = port.local === 0 ? (open[0]?.port ?? 0) : port.local;
		try {
			const local: LocalPort = await context.listen({ host, port: wanted }, (accepted) =>
				forward(accepted, port, local.port),
			);
			open.push(local);
			const shown = host.includes(':') ? `[${host}]` : host;
			context.stdout.print(`Forwarding from ${shown}:${local.port} -> ${port.remote}\n`);
		} catch (error) {
			if (isOptional && open.length > 0) continue;
			const why = messageOf(error);
			context.stderr.print(`Unable to listen on port ${port.local}: ${why}\n`);
		}
	}
	return open;
}

/** Passes one connection on until both of its directions have ended. Resolves to what was wrong, if anything was. */
async function forwardOne(
	{ client }: Connection,
	{ metadata }: Pod,
	{ local, port }: { readonly local: Duplex; readonly port: ForwardedPort },
): Promise<string | undefined> {
	let remote: Duplex;
	try {
		const path = `${pathOf(pods, metadata.namespace)}/${metadata.name}/portforward`;
		const query = { ports: String(port.remote) };
		remote = await client.transport.duplex({ method: 'GET', path, query });
	} catch (error) {
		local.close();
		return describeError(error);
	}
	void local.closed.then((reason) => remote.close(reason));
	void sendAll(local, remote);
	const problem = await receiveAll(remote, local);
	local.close(problem === undefined ? undefined : { type: 'failed', message: problem });
	return problem;
}

async function sendAll(local: Duplex, remote: Duplex): Promise<void> {
	for (let message = await local.receive(); message; message = await local.receive())
		if (!(await remote.send(message))) return;
}

/** Passes channel 0 on; resolves to the text on channel 1, if there is one. */
async function receiveAll(remote: Duplex, local: Duplex): Promise<string | undefined> {
	const decoder = new TextDecoder();
	let problem = '';
	for (let message = await remote.receive(); message; message = await remote.receive()) {
		if (message.channel === 0) await local.send(message);
		else if (message.type === 'data') problem += decoder.decode(message.bytes, { stream: true });
	}
	return problem === '' ? undefined : problem;
}
