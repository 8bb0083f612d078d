import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ContainerStatus, Sandbox } from '../runtime.ts';
import { Journal, type JournalEntry, readJournal } from './journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-journal-'));
after(() => rmSync(folder, { recursive: true }));

const config = { podUid: 'u', podName: 'p', podNamespace: 'default', hostname: 'p', attempt: 0 };
const sandbox: Sandbox = { id: 'u_0', config, state: 'ready', ip: '127.0.0.1', createdAt: 1 };

function container(id: string): ContainerStatus {
	const names = { sandboxId: 'u_0', podUid: 'u', name: 'c', attempt: 0, image: 'i', imageRef: 'i' };
	return { id, ...names, createdAt: 2, logPath: '/log', state: 'created' };
}

test('what was appended is what is read, last change first', () => {
	const path = join(folder, 'one');
	const journal = new Journal(path, () => [{ boot: 'b' }]);
	journal.append({ sandbox, folder: '0' });
	journal.append({ container: container('a') });
	journal.append({ process: { pid: 7, start: '99', startedAt: 3 }, of: 'a' });
	journal.append({ container: container('b') });
	journal.append({ containerGone: 'b' });
	journal.close();
	const state = readJournal(path);
	assert.equal(state.boot, 'b');
	assert.deepEqual([...state.sandboxes.values()], [{ sandbox, folder: '0' }]);
	assert.deepEqual([...state.containers.keys()], ['a']);
	assert.equal(state.processes.get('a')?.pid, 7);
});

test('a torn last line is left out', () => {
	const path = join(folder, 'torn');
	const journal = new Journal(path, () => []);
	journal.append({ container: container('a') });
	journal.close();
	appendFileSync(path, '{"container":{"id":"b","sta');
	assert.deepEqual([...readJournal(path).containers.keys()], ['a']);
});

test('no journal says that there is nothing', () => {
	assert.equal(readJournal(join(folder, 'missing')).containers.size, 0);
});

test('it does not grow with what is gone', () => {
	const path = join(folder, 'grown');
	const current: JournalEntry[] = [{ boot: 'b' }, { sandbox, folder: '0' }];
	const journal = new Journal(path, () => current);
	for (let index = 0; index < 10_000; index++) {
		journal.append({ container: container(`c${index}`) });
		journal.append({ containerGone: `c${index}` });
	}
	journal.close();
	assert.ok(statSync(path).size < 1 << 20);
	const state = readJournal(path);
	assert.equal(state.containers.size, 0);
	assert.deepEqual([...state.sandboxes.keys()], ['u_0']);
});
