import type { StintServer } from './stint-server.ts';

/** What a test of many Pods reads of each, by few runs of kubectl: one run per Pod would take most of the test's time. */
export interface PodEnd {
	readonly phase: string;
	/** The log of the container `main`, without the line end of its last line. */
	readonly log: string;
	/** The messages of the waiting and terminated containers. */
	readonly waiting: string;
	readonly terminated: string;
	/** The whole status, for the message of a failure. */
	readonly status: string;
}

/** The part of a Pod that is read here. */
interface ReadPod {
	readonly metadata: { readonly name: string };
	readonly status: {
		readonly phase: string;
		readonly containerStatuses?: readonly { readonly state: Readonly<Record<string, ReadState>> }[];
	};
}

interface ReadState {
	readonly message?: string;
}

/**
 * Waits until each Pod with the label `until=succeeds` has succeeded and a container of each with `until=waits` waits
 * with a reason, for at most 60 s. Resolves to the state of each Pod then, by its name.
 */
export async function podEnds(server: StintServer): Promise<ReadonlyMap<string, PodEnd>> {
	const until = { succeeds: '{.status.phase}=Succeeded', waits: '{..state.waiting.reason}' };
	for (const [label, path] of Object.entries(until))
		await server.kubectl('wait', `--for=jsonpath=${path}`, '--timeout=60s', 'pods', '-l', `until=${label}`);
	const logs = await logsOf(server, 'until=succeeds');
	const listed = await server.kubectl('get', 'pods', '-o', 'json');
	// The cast is safe: the answer of a server is a list of Pods.
	const { items } = JSON.parse(listed.stdout) as { readonly items: readonly ReadPod[] };
	return new Map(
		items.map(({ metadata: { name }, status }) => {
			const states = (status.containerStatuses ?? []).map(({ state }) => state);
			const messages = (of: string): string => states.map((state) => state[of]?.message ?? '').join('');
			const read = { waiting: messages('waiting'), terminated: messages('terminated') };
			const log = logs.get(name) ?? '';
			return [name, { ...read, phase: status.phase, log, status: JSON.stringify(status) }];
		}),
	);
}

/** The logs of the main containers of the Pods with a label, by the Pod's name. */
async function logsOf(server: StintServer, selector: string): Promise<ReadonlyMap<string, string>> {
	const options = ['--prefix', '--tail=-1', '--ignore-errors', '-c', 'main'];
	const { stdout } = await server.kubectl('logs', '-l', selector, ...options);
	const logs = new Map<string, string>();
	// A prefix in front of each line; the last line of a log may have no line end in front of the next prefix.
	const [, ...parts] = stdout.split(/\[pod\/([a-z0-9-]+)\/main\] /);
	for (let index = 0; index < parts.length; index += 2) {
		const [name = '', line = ''] = parts.slice(index, index + 2);
		logs.set(name, (logs.get(name) ?? '') + line);
	}
	return new Map(Array.from(logs, ([name, log]) => [name, log.trimEnd()]));
}
