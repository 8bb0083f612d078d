import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { storeContract } from '../contract-suite.ts';
import { openSqliteStore } from './sqlite-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-store-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;

/** A path where there is nothing yet. */
function freshPath(): string {
	files += 1;
	return join(folder, `${files}.db`);
}

storeContract('SQLite store', () => openSqliteStore({ path: freshPath() }));
