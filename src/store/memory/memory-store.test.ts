import { storeContract } from '../testing/contract-suite.ts';
import { MemoryStore } from './memory-store.ts';

storeContract('memory store', async () => new MemoryStore());
