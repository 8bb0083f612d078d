/**
 * The sandboxes of this server, as files of its runtime folder. An engine has no sandboxes: containers of a Pod that have
 * the network of the host share nothing that a process would have to keep alive. A record that is lost is made again from
 * the labels of its containers, as a stopped sandbox.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxConfig, SandboxMetadata } from '../../api/contract/sandbox-config.ts';
import { attempt } from '../../base/attempt.ts';
import { readPrivateFile, writePrivateFile } from '../../base/files/private-files.ts';
import { isRecord } from '../../base/json/json.ts';
import { readMetadata } from '../engines/container-facts.ts';
import { metadataOf, sandboxIdOf } from '../ids.ts';
import { itemsAt, numberAt, stringAt, valueAt } from '../json-values.ts';
import type { FailedEngineStart } from './containers/container-state.ts';

/** What containers take from their sandbox. */
export type SandboxSetup = Pick<SandboxConfig, 'namespaces' | 'hostAliases'>;

/** A sandbox. */
export interface SandboxRecord {
	readonly metadata: SandboxMetadata;
	readonly state: 'ready' | 'stopped';
	readonly createdAt: number;
	readonly setup: SandboxSetup;
	/** By container id, what the engine does not keep about it. */
	readonly notes: Readonly<Record<string, ContainerNote>>;
}

/** What the engine does not keep about a container. */
export interface ContainerNote {
	readonly failedStart?: FailedEngineStart;
	/** Whether its log is complete. */
	readonly isLogged?: boolean;
}

/** The setup of a sandbox whose record is lost. It is stopped, so that no container is created in it. */
const LOST_SETUP: SandboxSetup = {
	namespaces: { network: 'pod', ipc: 'pod', pid: 'container', user: 'node' },
	hostAliases: [],
};

/** See the header of this file. */
export class SandboxRecords {
	readonly #folder: string;
	readonly #records = new Map<string, SandboxRecord>();

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Reads the records that an earlier server has written. */
	async load(): Promise<void> {
		await mkdir(this.#folder, { recursive: true, mode: 0o700 });
		for (const name of await readdir(this.#folder)) {
			const text = name.endsWith(SUFFIX) ? readPrivateFile(join(this.#folder, name)) : undefined;
			const record = text === undefined ? undefined : readRecord(text);
			if (record) this.#records.set(sandboxIdOf(record.metadata), record);
		}
	}

	get(id: string): SandboxRecord | undefined {
		return this.#records.get(id);
	}

	all(): Iterable<readonly [string, SandboxRecord]> {
		return this.#records;
	}

	/** Creates or replaces a record. It is in its file when this returns. */
	put(record: SandboxRecord): void {
		const id = sandboxIdOf(record.metadata);
		writePrivateFile(this.#pathOf(id), `${JSON.stringify(record)}\n`);
		this.#records.set(id, record);
	}

	/** Creates the record of a sandbox from one of its containers, unless it exists. */
	recover(metadata: SandboxMetadata, createdAt: number): void {
		if (this.#records.has(sandboxIdOf(metadata))) return;
		this.put({ metadata: metadataOf(metadata), state: 'stopped', createdAt, setup: LOST_SETUP, notes: {} });
	}

	/** Adds to the note about a container; does nothing if its sandbox has been removed. */
	note(sandboxId: string, containerId: string, more: ContainerNote): void {
		const record = this.#records.get(sandboxId);
		if (!record) return;
		const notes = { ...record.notes, [containerId]: { ...record.notes[containerId], ...more } };
		this.put({ ...record, notes });
	}

	/** The note about a container; empty if there is none. */
	noteOf(sandboxId: string, containerId: string): ContainerNote {
		return this.#records.get(sandboxId)?.notes[containerId] ?? {};
	}

	/** Removes the note about a container that has been removed. */
	forget(sandboxId: string, containerId: string): void {
		const record = this.#records.get(sandboxId);
		if (!record || !Object.hasOwn(record.notes, containerId)) return;
		const notes = Object.fromEntries(Object.entries(record.notes).filter(([id]) => id !== containerId));
		this.put({ ...record, notes });
	}

	async remove(id: string): Promise<void> {
		await rm(this.#pathOf(id), { force: true });
		this.#records.delete(id);
	}

	#pathOf(id: string): string {
		return join(this.#folder, `${encodeURIComponent(id)}${SUFFIX}`);
	}
}

const SUFFIX = '.json';

/** A record of an earlier server; undefined if the file is damaged. */
function readRecord(text: string): SandboxRecord | undefined {
	const value: unknown = attempt(() => JSON.parse(text));
	if (!isRecord(value)) return undefined;
	const metadata = readMetadata(valueAt(value, 'metadata'));
	if (metadata.podUid === '') return undefined;
	const notes = valueAt(value, 'notes');
	return {
		metadata,
		state: stringAt(value, 'state') === 'ready' ? 'ready' : 'stopped',
		createdAt: numberAt(value, 'createdAt'),
		setup: readSetup(valueAt(value, 'setup')),
		notes: Object.fromEntries(
			Object.entries(isRecord(notes) ? notes : {}).map(([id, note]) => [id, readNote(note)]),
		),
	};
}

function readSetup(value: unknown): SandboxSetup {
	const namespaces = valueAt(value, 'namespaces');
	const pid = stringAt(namespaces, 'pid');
	const ofHost = (name: string): 'node' | 'pod' => (stringAt(namespaces, name) === 'node' ? 'node' : 'pod');
	return {
		namespaces: {
			network: ofHost('network'),
			ipc: ofHost('ipc'),
			user: ofHost('user'),
			pid: pid === 'node' || pid === 'pod' ? pid : 'container',
		},
		hostAliases: itemsAt(value, 'hostAliases').map((each) => ({
			ip: stringAt(each, 'ip'),
			hostnames: itemsAt(each, 'hostnames').map(String),
		})),
	};
}

function readNote(value: unknown): ContainerNote {
	const failed = valueAt(value, 'failedStart');
	return {
		...(isRecord(failed) && {
			failedStart: { at: numberAt(failed, 'at'), message: stringAt(failed, 'message') },
		}),
		isLogged: valueAt(value, 'isLogged') === true,
	};
}
