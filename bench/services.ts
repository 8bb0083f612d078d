import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { services as serviceKind } from '../src/api/core/service/definition.ts';
import { endpointSlices } from '../src/api/discovery/endpointslice/definition.ts';
import { mostConnections } from '../src/main/server/services/service-network.ts';
import { type Figure, quantile } from './figure.ts';
import { type ServerProcess, startServer } from './server-process.ts';

const ROUNDS = 5;
const ROUND_TRIPS = 5000;
const WARM_UP = 500;
const CONNECTIONS = 10_000;
const OPENED_AT_ONCE = 100;

const AIM_ADDED_US = 20;
const AIM_GBIT = 1;
const AIM_SHARE = 0.25;

interface Place {
	readonly host: string;
	readonly port: number;
}

/**
 * The way through a Service of one server, compared with connections to the same program without it: round trips of a byte,
 * bytes in one connection, and connections that are held at once.
 */
export async function services(): Promise<readonly Figure[]> {
	const { address: host } = ownAddress() ?? {};
	if (host === undefined) throw new Error('this machine has no address but its loopback addresses');
	const program = spawn(process.execPath, [join(import.meta.dirname, 'echo-server.ts')], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const server = await startServer();
	try {
		const direct = { host, port: await portOf(program.stdout) };
		const through = await serve(server, direct);
		return [
			await roundTripFigure(through, direct),
			bytesFigure(await gbitPerSecond(through), await gbitPerSecond(direct)),
			await heldFigure(through),
		];
	} finally {
		await server.stop();
		program.kill('SIGTERM');
	}
}

/** In rounds by turns: what a processor takes to wake is a large part of both, and changes from minute to minute. */
async function roundTripFigure(through: Place, direct: Place): Promise<Figure> {
	const values: number[] = [];
	const limits: number[] = [];
	for (let round = 0; round < ROUNDS; round += 1) {
		limits.push(await roundTrips(direct));
		values.push(await roundTrips(through));
	}
	const [value, limit] = [quantile(values, 0.5), quantile(limits, 0.5)];
	return {
		name: `round trip of a byte through a Service, p50 of ${ROUND_TRIPS}, the middle of ${ROUNDS} rounds`,
		value,
		unit: 'µs',
		limit: { name: 'directly', value: limit },
		aim: `<= ${AIM_ADDED_US} µs more`,
		met: value - limit <= AIM_ADDED_US,
	};
}

function bytesFigure(through: number, direct: number): Figure {
	return {
		name: 'one connection through a Service',
		value: through,
		unit: 'Gbit/s',
		limit: { name: 'directly', value: direct },
		aim: `>= ${AIM_GBIT} Gbit/s and >= ${AIM_SHARE} of the limit`,
		met: through >= AIM_GBIT && through >= AIM_SHARE * direct,
	};
}

async function heldFigure(through: Place): Promise<Figure> {
	// The server has the limits of this process.
	const most = Math.min(CONNECTIONS, mostConnections());
	const held: Socket[] = [];
	while (held.length < most) {
		const missing = Math.min(OPENED_AT_ONCE, most - held.length);
		held.push(...(await Promise.all(Array.from({ length: missing }, () => answered(through)))));
	}
	const last = await Promise.all(held.map((socket) => answer(socket)));
	for (const socket of held) socket.destroy();
	const open = last.filter((byte) => byte !== undefined).length;
	return {
		name: 'connections through a Service at once, each answered after the last was opened',
		value: open,
		unit: '',
		limit: { name: `the limit of open files allows; aim ${CONNECTIONS}`, value: most },
		aim: 'all',
		met: open === most,
	};
}

/** Makes a Service whose only endpoint is `to`; resolves to its address once it answers. */
async function serve({ client }: ServerProcess, to: Place): Promise<Place> {
	const ports = [{ name: 'p', port: 80, targetPort: to.port, protocol: 'TCP' } as const];
	const metadata = { name: 'echo', namespace: 'default' };
	const { spec } = await client.resource(serviceKind, 'default').create({
		apiVersion: 'v1',
		kind: 'Service',
		metadata,
		spec: { ports },
		status: {},
	});
	await client.resource(endpointSlices, 'default').create({
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'echo' } },
		addressType: 'IPv4',
		endpoints: [{ addresses: [to.host], conditions: { ready: true } }],
		ports: [{ name: 'p', port: to.port, protocol: 'TCP' }],
	});
	const at = { host: spec.clusterIP ?? '', port: 80 };
	for (;;) {
		const socket = await answered(at).catch(() => undefined);
		socket?.destroy();
		if (socket) return at;
	}
}

/** A connection that has answered once. */
async function answered(at: Place): Promise<Socket> {
	const socket = connect({ ...at, noDelay: true });
	await once(socket, 'connect');
	if ((await answer(socket)) === undefined) throw new Error('the connection was closed');
	return socket;
}

/** What comes back for a byte; undefined if the connection ends. */
async function answer(socket: Socket): Promise<number | undefined> {
	const { promise, resolve } = Promise.withResolvers<number | undefined>();
	const close = (): void => resolve(undefined);
	socket.once('data', (bytes: Buffer) => resolve(bytes[0])).once('close', close);
	socket.write('e');
	const byte = await promise;
	socket.off('close', close);
	return byte;
}

async function roundTrips(at: Place): Promise<number> {
	const socket = await answered(at);
	const times: number[] = [];
	for (let trip = 0; trip < WARM_UP + ROUND_TRIPS; trip += 1) {
		const started = performance.now();
		await answer(socket);
		if (trip >= WARM_UP) times.push((performance.now() - started) * 1000);
	}
	socket.destroy();
	return quantile(times, 0.5);
}

async function gbitPerSecond(at: Place): Promise<number> {
	const socket = connect(at);
	await once(socket, 'connect');
	const started = performance.now();
	socket.write('s');
	let bytes = 0;
	for await (const piece of socket) bytes += (piece as Buffer).length;
	return (bytes * 8) / 1e6 / (performance.now() - started);
}

/** An address of this machine that endpoints may have. */
function ownAddress(): { readonly address: string } | undefined {
	return Object.values(networkInterfaces())
		.flat()
		.find((each) => each?.family === 'IPv4' && !each.internal);
}

async function portOf(output: NodeJS.ReadableStream): Promise<number> {
	for await (const line of createInterface({ input: output })) {
		const port = /^port (\d+)$/.exec(line)?.[1];
		if (port !== undefined) return Number(port);
	}
	throw new Error('the program ended');
}
