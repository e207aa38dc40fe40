// Starts the page: index.html loads only this module.
import './app-shell.js';
import { start } from './router.js';
import { session } from './session.js';

session.restore();
start();
