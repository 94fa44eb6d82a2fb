/* 值班台：倒计时、提示音。声音只为三件事：新的人工任务、签收超时、通道中断。没有它，页面照样能用。 */
(function () {
  "use strict";
  var print = document.getElementById("print");
  if (print) { print.hidden = false; print.addEventListener("click", function () { window.print(); }); }
  var live = document.getElementById("live");
  if (!live) { return; }
  var base = 0, from = 0;
  function two(n) { return (n < 10 ? "0" : "") + n; }
  function span(seconds) {
    var h = Math.floor(seconds / 3600), m = Math.floor(seconds / 60) % 60, s = seconds % 60;
    return h ? h + ":" + two(m) + ":" + two(s) : m + ":" + two(s);
  }
  function sync() { base = Number(document.getElementById("tasks").dataset.now) / 1000; from = performance.now(); }
  function tick() {
    var now = base + performance.now() - from, all = document.querySelectorAll("time[data-until]");
    for (var i = 0; i < all.length; i += 1) {
      var left = Math.floor((Number(all[i].dataset.until) / 1000 - now) / 1000);
      all[i].textContent = (left < 0 ? "超 " : all[i].dataset.plain ? "" : "余 ") + span(Math.abs(left));
    }
  }
  sync(); tick(); setInterval(tick, 1000);

  var duty = document.getElementById("duty"), hush = document.getElementById("hush"), word = document.getElementById("duty-state");
  var audio = null, known = {}, ringing = {}, loud = 0, title = document.title;
  function remember() { localStorage.setItem("fengsui.known", JSON.stringify(known)); }
  try { known = JSON.parse(localStorage.getItem("fengsui.known") || "{}"); } catch (error) { known = {}; }
  function tone(pitch, start, length) {
    var wave = audio.createOscillator(), gain = audio.createGain();
    wave.frequency.value = pitch; gain.gain.value = 0.25;
    wave.connect(gain); gain.connect(audio.destination);
    wave.start(audio.currentTime + start); wave.stop(audio.currentTime + start + length);
  }
  function ready() { return audio && audio.state === "running"; }
  function ring() { if (ready()) { tone(880, 0, 0.25); tone(660, 0.3, 0.25); tone(880, 0.6, 0.25); } }
  function unlock() {
    audio = audio || new (window.AudioContext || window.webkitAudioContext)();
    return audio.resume().then(show);
  }
  function show() {
    if (!duty) { return; }
    var on = localStorage.getItem("fengsui.duty") === "on";
    duty.hidden = on && ready();
    duty.firstChild.nodeValue = on ? "恢复声音 " : "开始值班 ";
    word.textContent = ready() ? "声音已开" : "声音未开，有新任务时听不到提示音";
  }
  function look() {
    var now = {}, fresh = {}, any = false, found = document.getElementById("tasks").dataset.alarms;
    try { now = JSON.parse(found || "{}"); } catch (error) { now = {}; }
    Array.prototype.forEach.call(document.querySelectorAll("[data-down]"), function (p) { now["down|" + p.dataset.down] = 1; });
    Object.keys(known).forEach(function (id) { if (!(id in now)) { delete known[id]; } else if (now[id] < known[id]) { known[id] = now[id]; } });
    loud = 0;
    Object.keys(now).forEach(function (id) { if (now[id] > (known[id] || 0)) { fresh[id] = now[id]; any = any || !(ringing[id] >= now[id]); loud += 1; } });
    ringing = fresh; remember();
    if (hush) { hush.hidden = !loud; }
    document.title = (loud ? "（" + loud + "）" : "") + title;
    if (any) { ring(); }
  }
  if (duty) {
    duty.addEventListener("click", function () {
      localStorage.setItem("fengsui.duty", "on");
      unlock().then(function () { tone(660, 0, 0.2); tone(880, 0.25, 0.3); });
    });
    hush.addEventListener("click", function () { Object.keys(ringing).forEach(function (id) { known[id] = ringing[id]; }); remember(); look(); });
    document.addEventListener("pointerdown", function () { if (localStorage.getItem("fengsui.duty") === "on" && !ready()) { unlock(); } });
    show(); look();
    setInterval(function () { if (loud) { ring(); } }, 10000);
  }
  var unfolded = [];
  document.body.addEventListener("htmx:beforeSwap", function (event) {
    if (event.target.id === "live") { unfolded = Array.prototype.map.call(live.querySelectorAll("details[open]"), function (one) { return one.id; }); }
  });
  document.body.addEventListener("htmx:afterSwap", function (event) {
    if (event.target.id === "live") {
      unfolded.forEach(function (id) { var one = document.getElementById(id); if (one) { one.open = true; } });
      sync(); tick();
    }
    if (duty) { look(); }
  });
}());
