import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { create } from '../testing/recording-sink.ts';
import { openSqliteStore } from './sqlite-store.ts';

/**
 * The store acknowledges a write only once it is on disk. Killing the process cannot test that, since the
 * kernel keeps written pages. So these tests count the system calls that sync a file to the disk.
 */

const folder = mkdtempSync(join(tmpdir(), 'stint-durability-'));
after(() => rmSync(folder, { recursive: true }));

const WRITES = 40;

/** Opens a store, performs {@link WRITES} writes one after the other, and exits without closing it. */
const PROGRAM = `
	import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
	const store = await openSqliteStore({ path: process.argv[1] });
	process.stderr.write('begin\\n');
	for (let i = 0; i < ${WRITES}; i++) await store.write({ type: 'create', key: 'k/' + i, value: new Uint8Array(99) });
	process.stderr.write('end\\n');
	process.kill(process.pid, 'SIGKILL');`;

test('the database is configured to sync its WAL at each commit', async () => {
	let database: DatabaseSync | undefined;
	const store = await openSqliteStore({
		path: join(folder, 'pragma.db'),
		openDatabase: (path) => {
			database = new DatabaseSync(path);
			return database;
		},
	});
	await create(store, 'a', 'one');
	const pragma = (name: string): unknown => database?.prepare(`PRAGMA ${name}`).get()?.[name];
	// 2 is FULL: in WAL mode, NORMAL syncs only at checkpoints.
	assert.equal(pragma('synchronous'), 2);
	assert.equal(pragma('journal_mode'), 'wal');
	await store.close();
});

test('the kernel has synced a file for each acknowledged write', (t) => {
	const syncs = tracedSyncs() ?? preloadedSyncs();
	if (syncs === undefined) {
		t.diagnostic(
			'neither strace nor a C compiler works here: only the configuration of the database was tested',
		);
		return;
	}
	assert.ok(syncs >= WRITES, `${syncs} syncs for ${WRITES} writes`);
});

/**
 * Number of syncs between the program's first and last write, counted by strace; undefined if that does not
 * run.
 */
function tracedSyncs(): number | undefined {
	const trace = join(folder, 'trace');
	const args = ['-f', '-qq', '-o', trace, '-e', 'trace=fsync,fdatasync,write', '-e', 'signal=none'];
	const run = spawnSync('strace', [...args, ...command('traced.db')], { stdio: 'ignore' });
	if (run.error || run.signal !== 'SIGKILL') return undefined;
	const text = readFileSync(trace, 'utf8');
	const [begin, end] = [text.indexOf('"begin\\n"'), text.indexOf('"end\\n"')];
	assert.ok(begin >= 0 && end > begin, 'the trace contains the markers around the writes');
	return text.slice(begin, end).match(/\b(fsync|fdatasync)\(/g)?.length ?? 0;
}

/**
 * The same, counted by a preloaded library that wraps fsync and fdatasync; undefined if it cannot be
 * compiled.
 */
function preloadedSyncs(): number | undefined {
	const [source, library, log] = ['shim.c', 'shim.so', 'shim.log'].map((name) => join(folder, name));
	assert.ok(source && library && log);
	writeFileSync(source, SHIM);
	if (spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']).status !== 0) return undefined;
	const env = { ...process.env, LD_PRELOAD: library, SYNC_LOG: log };
	const run = spawnSync('env', command('preloaded.db'), { env, stdio: 'ignore' });
	return run.signal === 'SIGKILL' ? readFileSync(log).length : undefined;
}

function command(file: string): readonly string[] {
	return [process.execPath, '--input-type=module', '-e', PROGRAM, join(folder, file)];
}

const SHIM = `
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <fcntl.h>
	#include <stdlib.h>
	#include <unistd.h>
	static int counted(const char *name, int fd) {
		int log = open(getenv("SYNC_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (log >= 0) { if (write(log, ".", 1) < 0) abort(); close(log); }
		int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
		return real(fd);
	}
	int fsync(int fd) { return counted("fsync", fd); }
	int fdatasync(int fd) { return counted("fdatasync", fd); }
`;
