import type { Container, Pod } from '../../api/core/pod/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { HEADLESS } from '../../api/core/service/service-type.ts';
import { CommandError } from '../context.ts';
import type { ForwardedPort } from './local-ports.ts';

/**
 * The ports in arguments such as `8080`, `8888:http`, `:80`, as kubectl reads them: named ports are those of the Pod's
 * containers. With a Service they are its ports, and lead to their target ports. Throws a CommandError.
 */
export function forwardedPorts(
	words: readonly string[],
	pod: Pod,
	service?: Service,
): readonly ForwardedPort[] {
	if (service) return words.map((word) => servicePort(word, pod, service));
	return words.map((word) => {
		const parts = word.split(':');
		const [first = '', second] = parts;
		if (parts.length > 2) throw new CommandError(`invalid port format '${word}'`);
		const remote = remotePort(second ?? first, pod);
		return { local: second === undefined ? localPort(String(remote), word) : localPort(first, word), remote };
	});
}

/** Upstream: `translateServicePortToTargetPort` in kubectl's port-forward. */
function servicePort(word: string, pod: Pod, { metadata, spec }: Service): ForwardedPort {
	const parts = word.split(':');
	const [first = '', second] = parts;
	if (parts.length > 2) throw new CommandError(`invalid port format '${word}'`);
	const { ports = [], clusterIP } = spec;
	const wanted = second ?? first;
	const number = portNumber(wanted) ?? ports.find(({ name }) => name === wanted)?.port;
	if (number === undefined)
		throw new CommandError(`Service '${metadata.name}' does not have a named port '${wanted}'`);
	const same = ports.filter(({ port }) => port === number);
	const found = same.find(({ protocol }) => protocol !== 'UDP') ?? same[0];
	if (!found) throw new CommandError(`Service ${metadata.name} does not have a service port ${number}`);
	if (found.protocol === 'UDP') throw new CommandError(`UDP protocol is not supported for ${wanted}`);
	const remote = clusterIP === HEADLESS ? number : remotePort(String(found.targetPort || number), pod);
	return { local: localPort(second === undefined ? String(number) : first, word), remote };
}

function localPort(text: string, word: string): number {
	if (text === '') return 0;
	const port = portNumber(text);
	if (port === undefined) throw new CommandError(`error parsing local port '${text}' in '${word}'`);
	return port;
}

function remotePort(text: string, pod: Pod): number {
	const port = portNumber(text) ?? namedPort(text, pod);
	if (port === undefined)
		throw new CommandError(`Pod '${pod.metadata.name}' does not have a named port '${text}'`);
	if (port === 0) throw new CommandError('remote port must be > 0');
	return port;
}

function portNumber(text: string): number | undefined {
	const port = Number(text);
	return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : undefined;
}

function namedPort(name: string, { spec }: Pod): number | undefined {
	const containers: readonly Container[] = [...spec.containers, ...(spec.initContainers ?? [])];
	return containers.flatMap(({ ports = [] }) => ports).find((port) => port.name === name)?.containerPort;
}

/** The addresses to listen on for `--address`: `localhost` means that of IPv4 and that of IPv6, as kubectl. */
export function listenedAddresses(
	text: string,
): readonly { readonly host: string; readonly isOptional: boolean }[] {
	const addresses = text.split(',').map((address) => address.trim());
	return addresses.flatMap((address) => {
		if (address === 'localhost')
			return [
				{ host: '127.0.0.1', isOptional: false },
				// A machine without IPv6 has no such address.
				{ host: '::1', isOptional: true },
			];
		if (!/^[\d.]+$|^[\da-f:.]*:[\da-f:.]*$/i.test(address))
			throw new CommandError(`error parsing addresses: ${address} is not a valid IP`);
		return [{ host: address, isOptional: false }];
	});
}
