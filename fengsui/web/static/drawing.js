/* 圈选：在区界示意图上点出范围，由服务器答出乡镇并勾选。没有它，用乡镇列表。 */
(function () {
  "use strict";
  var box = document.getElementById("drawing"), towns = document.querySelector("[data-whole]");
  if (!box || !towns || !window.fetch) { return; }
  var said = document.getElementById("map-said"), map = null, ring = [], line = null, asked = 0;
  box.hidden = false;

  function load(then) {
    var style = document.createElement("link"), script = document.createElement("script");
    style.rel = "stylesheet"; style.href = box.dataset.style; document.head.appendChild(style);
    script.src = box.dataset.script; script.onload = then;
    script.onerror = function () { said.textContent = "地图没有载入，请用乡镇列表。"; };
    document.head.appendChild(script);
  }
  function begin() {
    fetch(box.dataset.places, { credentials: "same-origin" }).then(function (answer) { return answer.json(); }).then(function (ground) {
      var L = window.L;
      map = L.map("map", { attributionControl: false, scrollWheelZoom: false, doubleClickZoom: false, zoomSnap: 0.25 });
      var border = L.polygon(ground.border, { color: "#6c7a8a", weight: 1.5, fillColor: "#fff", fillOpacity: 1, interactive: false }).addTo(map);
      ground.towns.forEach(function (town) {
        if (town.rings.length) { L.polygon(town.rings, { color: "#9aa7b6", weight: 1, fill: false, interactive: false }).addTo(map); }
        L.circleMarker(town.at, { radius: 5, color: "#17202c", weight: 1.4, fillColor: "#fff", fillOpacity: 1, dashArray: town.basis ? "2 2" : null, interactive: false })
          .bindTooltip(town.name, { permanent: true, direction: "right", className: "town-name" }).addTo(map);
      });
      map.fitBounds(border.getBounds(), { padding: [12, 12], animate: false });
      map.on("click", function (event) { ring.push([event.latlng.lng, event.latlng.lat]); draw(); });
      box.dataset.ready = "1";
    });
  }
  function draw() {
    if (line) { line.remove(); }
    var corners = ring.map(function (p) { return [p[1], p[0]]; }), L = window.L;
    line = (ring.length > 2 ? L.polygon : L.polyline)(corners, { color: "#1f5ca8", weight: 2, dashArray: "6 4", interactive: false }).addTo(map);
    if (ring.length > 2) { ask(); } else { said.textContent = "已点 " + ring.length + " 个点，至少三个。"; }
  }
  function ask() {
    var mine = asked += 1, headers = JSON.parse(document.body.getAttribute("hx-headers"));
    headers["Content-Type"] = "application/json";
    fetch(box.dataset.places, { method: "POST", credentials: "same-origin", headers: headers, body: JSON.stringify({ ring: ring }) })
      .then(function (answer) { return answer.json(); })
      .then(function (found) {
        if (mine !== asked) { return; }
        if (found.error) { said.textContent = found.error; return; }
        var names = tick(found.areas);
        said.textContent = (names.length ? "圈内：" + names.join("、") : "圈内没有乡镇点位") + (found.missing.length ? "。没有点位、须另选：" + found.missing.join("、") : "");
      })
      .catch(function () { said.textContent = "没有连上，请用乡镇列表。"; });
  }
  function tick(areas) {
    var names = [], last = null;
    Array.prototype.forEach.call(towns.querySelectorAll("input"), function (one) {
      one.checked = areas.indexOf(one.value) >= 0;
      if (one.checked) { names.push(one.parentNode.textContent.trim()); }
      last = one;
    });
    if (last) { last.form.dispatchEvent(new Event("change", { bubbles: true })); }
    return names;
  }
  document.getElementById("map-back").addEventListener("click", function () { if (ring.length) { ring.pop(); draw(); } });
  document.getElementById("map-clear").addEventListener("click", function () { ring = []; if (map) { draw(); } });
  box.addEventListener("toggle", function () { if (box.open && !map && !box.dataset.begun) { box.dataset.begun = "1"; load(begin); } });
}());
